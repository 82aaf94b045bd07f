import CKernel
import SharedTables

/// Options of the program's that would hold up a handshake: the kernel has other values meanwhile, and these are the
/// program's.
struct LentOptions {
    /// SO_RCVLOWAT: poll(2) does not report shorter answers of a proxy. 0: the kernel has the program's value.
    var lowWater: Int32 = 0
    /// Whether the program has set TCP_CORK, which delays messages.
    var isCorked = false

    private static var lowWaterOption: SocketOption { SocketOption(SOL_SOCKET, SO_RCVLOWAT) }
    private static var corkOption: SocketOption { SocketOption(Int32(IPPROTO_TCP), TCP_CORK) }

    /// The program's value of an option; nil if the kernel has it.
    func value(of option: SocketOption) -> Int32? {
        switch option {
        case LentOptions.lowWaterOption where lowWater != 0: lowWater
        case LentOptions.corkOption where isCorked: 1
        default: nil
        }
    }

    /// Resets the socket's options that would hold up a handshake.
    mutating func borrow(from socket: Socket) {
        if let mark = socket.number(of: LentOptions.lowWaterOption), mark > 1 {
            lowWater = mark
            socket.set(1, of: LentOptions.lowWaterOption)
        }
        if let cork = socket.number(of: LentOptions.corkOption), cork != 0 {
            isCorked = true
            socket.set(0, of: LentOptions.corkOption)
        }
    }

    /// Restores them.
    mutating func putBack(on socket: Socket) {
        if lowWater != 0 { socket.set(lowWater, of: LentOptions.lowWaterOption) }
        if isCorked { socket.set(1, of: LentOptions.corkOption) }
        self = LentOptions()
    }
}

// MARK: Pending sockets

extension PendingHandle {
    /// Before the handshake, for a socket that may have such options: they may have been set by another descriptor.
    func borrowOptions() {
        guard SocketOptions.mayHold(socket) else { return }
        record.pointee.lent.borrow(from: socket)
    }

    func putOptionsBack() {
        record.pointee.lent.putBack(on: socket)
    }

    /// setsockopt(2) of such an option: the kernel checks the value, and gets it again at the end. It never gets one of
    /// the program's route, by which the proxy is not reached.
    func setLentOption(
        _ option: SocketOption, _ value: UnsafeRawPointer?, _ length: socklen_t
    ) -> HookResult {
        if SocketOptions.isOfWay(SocketOptions.remembered(option)) {
            return connections.pointee.setWay(option, of: socket, value, length)
        }
        // For a substitute socket the library remembers the value of the original one.
        guard !SocketOptions.isLevel(option.level, lackedBy: socket.domain) else { return .pass }
        putOptionsBack()
        let result = kernel_give_option(socket.descriptor, option.level, option.name, value, length)
        record.pointee.lent.borrow(from: socket)
        return result == 0 ? .succeeded : .failed(Errno(result: result))
    }
}
