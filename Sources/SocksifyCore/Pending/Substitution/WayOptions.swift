import Addressing
import CPreload
import SharedTables

/// Options by which a program sets the route of its datagrams: it means the route to their destinations. While a socket
/// is relayed the kernel does not have them, because the relay is reached as from any other socket; these are the
/// program's values.
///
/// A datagram that goes direct all the same takes that route: each says so itself. (Streams have the last two.)
struct WayOptions {
    /// In the order of `options`; 0: none.
    private var values = InlineArray<4, Int32>(repeating: 0)

    init() {}

    /// Of a stream.
    init(_ original: OriginalSocket) {
        values[2] = original.value(of: SocketOptions.mark) ?? 0
        values[3] = original.value(of: SocketOptions.device) ?? 0
    }

    /// In the order in which the kernel accepts them: none may name another device than the socket is bound to.
    private static var options: InlineArray<4, SocketOption> {
        [
            SocketOption(Int32(IPPROTO_IP), IP_UNICAST_IF), SocketOption(Int32(IPPROTO_IPV6), IPV6_UNICAST_IF),
            SocketOptions.mark, SocketOptions.device,
        ]
    }

    /// The number of the device that the socket is bound to; 0 for none.
    var device: Int32 { values[3] }

    static func has(_ option: SocketOption) -> Bool {
        let options = WayOptions.options
        for index in options.indices where options[index] == option { return true }
        return false
    }

    /// The program's value of an option; 0 if not set.
    func value(of option: SocketOption) -> Int32 {
        let options = WayOptions.options
        for index in options.indices where options[index] == option { return values[index] }
        return 0
    }

    mutating func set(_ value: Int32, of option: SocketOption) {
        let options = WayOptions.options
        for index in options.indices where options[index] == option { values[index] = value }
    }

    /// Takes them from the socket. A mark that the program could not take away stays (socket(7), SO_MARK).
    ///
    /// - Parameter isConnecting: whether the socket is about to connect, and loses its former connection.
    mutating func take(from socket: Socket, isConnecting: Bool) throws(Errno) {
        let options = WayOptions.options
        for index in options.indices {
            guard let value = socket.number(of: options[index]), value != 0 else { continue }
            // Its datagrams to the peer would take another route.
            guard isConnecting || !socket.isConnected else { throw .networkUnreachable }
            if options[index] == SocketOptions.device {
                try WayOptions.free(socket)
            } else {
                socket.set(0, of: options[index])
            }
            if socket.number(of: options[index]) == 0 { values[index] = value }
        }
    }

    /// Unbinds the socket from its device. The option needs privileges; but ending a UDP socket's connection unbinds
    /// it, too, even without one. It keeps its port.
    private static func free(_ socket: Socket) throws(Errno) {
        var name = SocketAddress.unspecified(socket.domain)
        name.port = try socket.name.port
        try socket.disconnect()
        if name.port != 0, try socket.name.port == 0 { try socket.bind(to: name) }
    }

    /// Gives the socket these options.
    func put(on socket: Socket) throws(Errno) {
        let options = WayOptions.options
        for index in options.indices where values[index] != 0 {
            socket.set(values[index], of: options[index])
            guard socket.number(of: options[index]) == values[index] else { throw Errno(ENODEV) }
        }
    }

    /// Describes the route of a direct datagram to `peer`. False if there is nothing to say.
    func describe(towards peer: SocketAddress, _ way: UnsafeMutablePointer<udp_way>) -> Bool {
        let address = peer.address.unmapped
        var isIPv6 = false
        if case .v6 = address { isIPv6 = true }
        var device = device
        if device == 0, !address.isMulticast { device = Int32(bigEndian: values[isIPv6 ? 1 : 0]) }
        way.pointee = udp_way(device: device, mark: values[2], is_ipv6: isIPv6 ? 1 : 0)
        return device != 0 || values[2] != 0
    }
}

// MARK: Words

extension WayOptions {
    static var wordCount: Int { 2 }

    func write(to words: inout WordCursor) {
        words.write(UInt32(bitPattern: values[0]), UInt32(bitPattern: values[1]))
        words.write(UInt32(bitPattern: values[2]), UInt32(bitPattern: values[3]))
    }

    init(from words: inout WordCursor) {
        let (first, second) = (words.readHalves(), words.readHalves())
        let halves: InlineArray<4, UInt32> = [first.upper, first.lower, second.upper, second.lower]
        for index in halves.indices { values[index] = Int32(bitPattern: halves[index]) }
    }
}

// MARK: Calls

extension WayOptions {
    /// getsockopt(2) of such an option, as if the kernel had it. Passes for other options.
    func get(
        _ option: SocketOption, _ domain: Int32, _ value: UnsafeMutableRawPointer?,
        _ length: UnsafeMutablePointer<socklen_t>?
    ) -> HookResult {
        let remembered = SocketOptions.remembered(option)
        let number = self.value(of: remembered)
        guard number != 0 else { return .pass }
        return ask(domain) { judge in
            SocketOptions.answer(option, asIf: option == remembered ? number : nil, judge, value, length)
        }
    }

    /// setsockopt(2), likewise.
    mutating func set(
        _ option: SocketOption, _ domain: Int32, _ value: UnsafeRawPointer?, _ length: socklen_t
    ) -> HookResult {
        let remembered = SocketOptions.remembered(option)
        var number: Int32 = 0
        let outcome = ask(domain) { judge in
            let result = kernel_give_option(judge.descriptor, option.level, option.name, value, length)
            number = judge.number(of: remembered) ?? 0
            return result == 0 ? .succeeded : .failed(Errno(result: result))
        }
        if case .succeeded = outcome { set(number, of: remembered) }
        return outcome
    }

    private func ask(_ domain: Int32, _ body: (Socket) -> HookResult) -> HookResult {
        let made = Socket.makeDatagrams(domain)
        guard made >= 0 else { return .failed(Errno(result: Int(made))) }
        defer { _ = kernel_close(made) }
        let judge = Socket(descriptor: made)
        try? put(on: judge)
        return body(judge)
    }
}
