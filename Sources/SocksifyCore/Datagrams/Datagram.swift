import Addressing
import CPreload
import FakeDNS
import ProxyConfig
import SharedTables

/// Which datagrams are relayed, and what connect(2) does to their sockets.
public enum Datagram {
    // MARK: Decisions

    /// The destination of a relayed datagram.
    enum Destination {
        case address(IPAddress, port: UInt16)
        /// A name, by its number.
        case name(NamedDestinations.Name, port: UInt16)
        /// A name server, in whose place the library answers.
        case nameServer
    }

    enum Decision {
        case direct(DirectReason)
        case refuse(Errno)
        /// Through a chain of the list at this index in `Configuration.lists`, if it is not for a name server.
        case relay(Destination, list: Int)
    }

    /// Decides on a datagram or connect(2) to `peer`. The answer to a datagram that came directly goes direct,
    /// regardless of the rules.
    static func decide(on peer: SocketAddress, _ socket: Socket, _ datagrams: UnsafePointer<Datagrams>) -> Decision {
        let decision = decide(on: peer, datagrams)
        switch decision {
        case .direct, .relay(.nameServer, _): return decision
        case .refuse, .relay:
            return datagrams.pointee.direct.areAnswered(peer, by: socket) ? .direct(.answer) : decision
        }
    }

    private static func decide(on peer: SocketAddress, _ datagrams: UnsafePointer<Datagrams>) -> Decision {
        if datagrams.pointee.configuration.answersNames(at: peer.address, port: peer.port) {
            return .relay(.nameServer, list: 0)
        }
        let destination: Destination
        let list: Int
        switch RoutedDestination.of(peer.address, port: peer.port, .udp, datagrams.pointee.names) {
        case .direct(let reason): return .direct(.configured(reason))
        case .directToName(let number, _):
            logUnknownAddress(of: number, datagrams)
            return .refuse(.hostUnreachable)
        case .refuse(let errno): return .refuse(errno)
        case .proxy where peer.namesLink: return .refuse(.networkUnreachable)
        case .proxy(let decided, let address, let port):
            (destination, list) = (.address(address.unmapped, port: port), decided)
        case .proxyToName(let decided, let number):
            list = decided
            var isIPv6 = false
            if case .v6 = peer.address.unmapped { isIPv6 = true }
            guard let version = datagrams.pointee.names.version(of: number) else { return .refuse(.hostUnreachable) }
            let name = NamedDestinations.Name(number: number, version: version, isIPv6: isIPv6)
            destination = .name(name, port: peer.port)
        }
        if case .itself = datagrams.pointee.proxies.findProxies() { return .direct(.proxyLookup) }
        return datagrams.pointee.proxies.carryDatagrams(throughList: list)
            ? .relay(destination, list: list) : .refuse(.networkUnreachable)
    }

    /// Logs that a rule sends a name direct whose address is unknown. Looking it up here would make a non-blocking call
    /// wait.
    private static func logUnknownAddress(of number: UInt32, _ datagrams: UnsafePointer<Datagrams>) {
        Log.write(.error, datagrams.pointee.configuration) { line in
            line.append("udp ")
            datagrams.pointee.names.name(of: number)?.write(to: &line)
            line.append(": a rule sends this direct by its port alone, and no address is known; ")
            line.append("name the host in a rule")
        }
    }

    // MARK: connect

    /// connect(2) of a datagram socket, which sends nothing: the first datagram opens the association.
    static func connect(_ socket: Socket, to peer: SocketAddress, _ datagrams: UnsafePointer<Datagrams>) -> HookResult {
        let table = datagrams.pointee.relayed
        switch decide(on: peer, socket, datagrams) {
        case .direct(let reason):
            do throws(Errno) {
                try endRelaying(socket, datagrams)
                return .direct(reason)
            } catch {
                return .failed(error)
            }
        case .refuse(let errno): return .failed(errno)
        case .relay(let destination, let list):
            // The kernel has the right error for an address of another family.
            if socket.domain == AF_INET, case .v6 = peer.address { return .pass }
            if case .nameServer = destination {
            } else if datagrams.pointee.connections.pointee.refusal.isFresh {
                return .failed(.networkUnreachable)
            }
            do throws(Errno) {
                let slot = try table.add(socket.descriptor, domain: socket.domain, isConnecting: true)
                guard let record = table.enter(slot) else { return .failed(.outOfBuffers) }
                defer { table.leave(slot) }
                record.pointee.descriptor = socket.descriptor
                try record.pointee.connectInKernel(socket, towards: destination, datagrams)
                record.pointee.peer = RelayedSocket.Peer(address: peer, destination: destination, list: list)
                return .succeeded
            } catch {
                return .failed(error)
            }
        }
    }

    /// connect(2) with AF_UNSPEC: the socket loses its peer, and usually its port, which the relay knows.
    static func disconnect(_ descriptor: Int32, _ datagrams: UnsafePointer<Datagrams>) {
        guard let slot = datagrams.pointee.relayed.slot(of: descriptor),
            let record = datagrams.pointee.relayed.enter(slot)
        else { return }
        record.pointee.peer = nil
        record.pointee.kernelPeer = .none
        record.pointee.setPeerHeader(for: nil)
        record.pointee.ownAddress = nil
        // The kernel also unbinds it from its device.
        record.pointee.way.set(0, of: SocketOptions.device)
        // The relay of an opening association knows no port yet.
        let kept = record.pointee.association.isOpening ? nil : record.pointee.association.forget()
        datagrams.pointee.relayed.leave(slot)
        kept?.linger(datagrams.pointee.connections)
    }

    /// The socket is not relayed any more.
    private static func endRelaying(_ socket: Socket, _ datagrams: UnsafePointer<Datagrams>) throws(Errno) {
        guard descriptor_may_be_relayed(socket.descriptor) != 0 || SocketOptions.mayHold(socket),
            let slot = datagrams.pointee.relayed.slot(of: socket.descriptor),
            let record = datagrams.pointee.relayed.enter(slot)
        else { return }
        do throws(Errno) {
            try record.pointee.way.put(on: socket)
        } catch {
            datagrams.pointee.relayed.leave(slot)
            throw error
        }
        if record.pointee.isShut { socket.shut(2) }
        let connection = record.pointee.association.connection
        let heir = datagrams.pointee.relayed.bequeath(record, slot)
        let kept = heir == nil ? record.pointee.association.giveUp() : nil
        datagrams.pointee.relayed.remove(slot)
        if let heir {
            connection?.goOver(to: heir, datagrams)
        } else {
            connection?.abandon(datagrams.pointee.connections)
        }
        kept?.linger(datagrams.pointee.connections)
    }

    /// The program's peer of the socket; nil if it is not relayed, or not connected.
    static func peer(of descriptor: Int32, _ datagrams: UnsafePointer<Datagrams>) -> SocketAddress? {
        guard descriptor_may_be_relayed(descriptor) != 0, let slot = datagrams.pointee.relayed.slot(of: descriptor),
            let record = datagrams.pointee.relayed.enter(slot)
        else { return nil }
        defer { datagrams.pointee.relayed.leave(slot) }
        return record.pointee.peer?.address
    }
}

extension RelayedSocket {
    /// Reports that the proxy does not carry the datagrams of a socket that the program has connected: as of a peer with
    /// a closed port, by an error that wakes waiting calls. Nothing leaves this machine.
    mutating func showRefusal(by socket: Socket) {
        switch peer?.destination {
        case nil, .nameServer: return
        case .address, .name: break
        }
        let isIPv6 = socket.sendsToIPv6Alone
        var name = SocketAddress.unspecified(isIPv6 ? AF_INET6 : AF_INET)
        name.address = isIPv6 ? .v6(IPv6Address(high: 0, low: 1)) : .v4(IPv4Address(127, 0, 0, 1))
        let listener = Socket(descriptor: Socket.makeDatagrams(name.domain))
        guard listener.descriptor >= 0 else { return }
        defer { _ = kernel_close(listener.descriptor) }
        // If this is impossible, the program learns of it at its next send.
        do throws(Errno) {
            // A socket connected to itself receives from no other, and keeps its port.
            try listener.bind(to: name)
            name = try listener.name
            try listener.connectDatagrams(to: name)
            guard let name = form(of: name) else { return }
            try socket.connectDatagrams(to: name)
            kernelPeer = .nobody
            setPeerHeader(for: nil)
            socket.sendNothing()
        } catch {
            return
        }
    }

    /// Connects the socket in the kernel to where its peer is reached.
    mutating func connectInKernel(
        _ socket: Socket, towards destination: Datagram.Destination, _ datagrams: UnsafePointer<Datagrams>
    ) throws(Errno) {
        if case .nameServer = destination {
            try socket.connectDatagrams(to: findOwnAddress(socket))
            kernelPeer = .own
            setPeerHeader(for: nil)
        } else if case .open = association.state {
            do throws(Errno) {
                try socket.connectDatagrams(to: association.relay)
            } catch {
                // From the own address that reached the proxy there may be no route to the relay, as from loopback.
                guard error == .invalidArgument else { throw error }
                try socket.disconnect()
                try socket.connectDatagrams(to: association.relay)
            }
            kernelPeer = .relay
            setPeerHeader(for: destination)
        } else {
            guard let proxy = datagrams.pointee.proxyAddresses.anyAddress(for: .unspecified(domain)) else {
                throw .networkUnreachable
            }
            try socket.connectDatagrams(to: proxy)
            kernelPeer = .proxy
            setPeerHeader(for: nil)
        }
    }

    /// The socket's own address, for sending to itself. A socket without a port gets one.
    mutating func findOwnAddress(_ socket: Socket) throws(Errno) -> SocketAddress {
        if let ownAddress { return ownAddress }
        var name = try socket.name
        if name.port == 0 {
            try socket.bind(to: name)
            name = try socket.name
        }
        if name.address.isUnspecified {
            let loopback = IPv4Address(127, 0, 0, 1)
            switch name.address {
            case .v4: name.address = .v4(loopback)
            case .v6:
                name.address = .v6(socket.isIPv6Only ? IPv6Address(high: 0, low: 1) : IPv6Address(mapping: loopback))
            }
        }
        ownAddress = name
        return name
    }
}
