import Addressing
import ProxyConfig

extension DirectReason {
    /// The program's direct call.
    enum Call {
        case connecting
        case sending
    }

    /// Logs the reason in the words of `--explain`.
    @inline(never)
    func log(_ call: Call, by socket: Socket, to peer: SocketAddress, _ names: borrowing Names) {
        guard LogLevel.debug.rawValue <= names.configuration.logLevel.rawValue else { return }
        let transport = socket.transport
        // A stream ignores the address (send(2)).
        if call == .sending, transport == .tcp { return }
        Log.write(.debug, names.configuration) { line in
            switch transport {
            case .tcp: line.append("tcp ")
            case .udp: line.append("udp ")
            case .other, nil: line.append("ip ")
            }
            DirectReason.write(peer, names, to: &line)
            line.append(" ")
            line.append(Explanation.directWords)
            line.append(", because ")
            write(names, to: &line)
        }
    }

    /// Writes the destination as rules see it: by the name that the program looked up, if known.
    @inline(never)
    private static func write(_ peer: SocketAddress, _ names: borrowing Names, to line: inout LogLine) {
        let number: UInt32?
        switch names.meaning(of: peer.address) {
        case .name(let known): number = known
        case .real: number = LocalNames.number(of: peer.address, names)
        }
        guard let number, let name = names.name(of: number) else {
            return Endpoint(host: .address(peer.address.unmapped), port: peer.port).write(to: &line)
        }
        name.write(to: &line)
        line.append(":")
        line.append(decimal: peer.port)
    }

    @inline(never)
    private func write(_ names: borrowing Names, to line: inout LogLine) {
        switch self {
        case .configured(let reason):
            names.configuration.write(reason, to: &line)
            names.proxies.places.write(placeOf: reason, behind: ", at ", to: &line)
        case .proxy: line.append("the destination is a proxy")
        case .proxyLookup: line.append("the library looks up a proxy")
        case .answer: line.append("this answers a datagram that came direct")
        case .otherProtocol: line.append("no proxy supports its protocol, and other_protocols is direct")
        }
    }
}
