import CKernel
import SharedTables

/// Options of the program's that would hold up a handshake: while it is under way the kernel has others, and these say
/// what the program has set.
struct LentOptions {
    /// SO_RCVLOWAT, of which no answer of a proxy may fall short for poll(2) to tell of it; 0: it is the program's.
    var lowWater: Int32 = 0
    /// Whether the program has set TCP_CORK, by which a message would leave late.
    var isCorked = false

    private static var lowWaterOption: SocketOption { SocketOption(SOL_SOCKET, SO_RCVLOWAT) }
    private static var corkOption: SocketOption { SocketOption(Int32(IPPROTO_TCP), TCP_CORK) }

    /// What the program has set an option to; nil where that is what the kernel has.
    func value(of option: SocketOption) -> Int32? {
        switch option {
        case LentOptions.lowWaterOption where lowWater != 0: lowWater
        case LentOptions.corkOption where isCorked: 1
        default: nil
        }
    }

    /// Takes from the socket what would hold up a handshake.
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

    /// Gives it back.
    mutating func putBack(on socket: Socket) {
        if lowWater != 0 { socket.set(lowWater, of: LentOptions.lowWaterOption) }
        if isCorked { socket.set(1, of: LentOptions.corkOption) }
        self = LentOptions()
    }
}

// MARK: Pending sockets

extension PendingHandle {
    /// Before the handshake begins, for a socket that may have such options: nobody tells of those that were set by
    /// another descriptor.
    func borrowOptions() {
        guard SocketOptions.mayHold(socket) else { return }
        record.pointee.lent.borrow(from: socket)
    }

    func putOptionsBack() {
        record.pointee.lent.putBack(on: socket)
    }

    /// setsockopt(2) of such an option: the kernel judges it, and has it again when the handshake is over. One of the
    /// program's way it never has, because the proxy is not by that.
    func setLentOption(
        _ option: SocketOption, _ value: UnsafeRawPointer?, _ length: socklen_t
    ) -> HookResult {
        if SocketOptions.isOfWay(SocketOptions.remembered(option)) {
            return connections.pointee.setWay(option, of: socket, value, length)
        }
        // Of one that stands in the place of the program's, the library remembers what that would have.
        guard !SocketOptions.isLevel(option.level, lackedBy: socket.domain) else { return .pass }
        putOptionsBack()
        let result = kernel_give_option(socket.descriptor, option.level, option.name, value, length)
        record.pointee.lent.borrow(from: socket)
        return result == 0 ? .succeeded : .failed(Errno(result: result))
    }
}
