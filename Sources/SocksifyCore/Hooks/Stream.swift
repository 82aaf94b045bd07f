import CKernel
import SharedTables

/// Calls that read from, write to or ask about a stream that may be pending. Each of them advances the connection.
public enum Stream {
    public enum Direction {
        case receiving
        case sending
    }

    /// Before a call that reads or writes: `pass` if it may continue.
    ///
    /// - Parameter isNonBlocking: whether this call is, regardless of the socket (MSG_DONTWAIT).
    public static func prepare(_ descriptor: Int32, _ direction: Direction, isNonBlocking: Bool) -> HookResult {
        let socket = Socket(descriptor: descriptor)
        return finish(
            socket, limit: direction == .sending ? .sendTimeout : .receiveTimeout,
            waits: !isNonBlocking && !socket.isNonBlocking)
    }

    /// Before a descriptor is sent to another process, which may know nothing of the connection and would write into
    /// the handshake: waits until it is over. The program learns of a failure by its next call, in either process.
    public static func prepareToSend(descriptor: Int32) -> HookResult {
        let outcome = finish(Socket(descriptor: descriptor), limit: .none, waits: true)
        guard case .pass = outcome, let runtime = Runtime.existing,
            case .entered(let pending) = PendingHandle.of(descriptor, runtime.pointee.connections)
        else { return outcome }
        if let error = pending.untoldError {
            runtime.pointee.sockets.insert(failure: error.code, cookie: pending.record.pointee.cookie)
        }
        pending.leave()
        return outcome
    }

    /// Advances the connection of a socket, to its end if the call waits.
    ///
    /// - Parameter waits: called only for a pending connection.
    private static func finish(
        _ socket: Socket, limit: BlockingDriver.TimeLimit, waits: @autoclosure () -> Bool
    ) -> HookResult {
        guard let runtime = Runtime.existing else { return .pass }
        switch PendingHandle.of(socket.descriptor, runtime.pointee.connections) {
        case .none: return .pass
        case .busy: return .failed(.again)
        case .refused(let errno): return .failed(errno)
        case .entered(var pending):
            defer { pending.leave() }
            switch pending.step() {
            case .established: return .pass
            case .failed:
                if limit == .none { return .pass }
                return pending.takeFailure(by: .other).map { .failed($0) } ?? .pass
            case .underWay: break
            }
        }
        guard waits(), let cookie = socket.cookie else { return .failed(.again) }
        let driver = BlockingDriver(
            socket: socket, timed: socket, cookie: cookie, connections: runtime.pointee.connections, limit: limit,
            began: Clock.now)
        switch driver.drive(events: socket.readyEvents) {
        case .established: return .pass
        case .timeOver: return .failed(.again)
        case .interrupted: return .failed(.interrupted)
        case .failed(let error): return limit == .none ? .pass : .failed(error)
        }
    }

    /// Takes SO_ERROR; nil if the kernel has it.
    public static func takeError(_ descriptor: Int32) -> Int32? {
        guard let runtime = Runtime.existing else { return nil }
        switch PendingHandle.of(descriptor, runtime.pointee.connections) {
        case .none: return nil
        case .busy: return 0
        case .refused(let errno): return errno.code
        case .entered(var pending):
            defer { pending.leave() }
            switch pending.step() {
            case .established: return nil
            case .failed: return pending.takeFailure(by: .other)?.code
            case .underWay: return 0
            }
        }
    }

    /// Whether the connection is pending, so that there is nothing to read for the program.
    public static func isUnderWay(_ descriptor: Int32) -> Bool {
        guard let runtime = Runtime.existing else { return false }
        switch PendingHandle.of(descriptor, runtime.pointee.connections) {
        case .none: return false
        case .busy, .refused: return true
        case .entered(var pending):
            defer { pending.leave() }
            return pending.step() == .underWay
        }
    }

    /// Before the program gets or sets TCP_USER_TIMEOUT: removes the library's own value. The deadline limits the rest
    /// of the time to connect.
    public static func putUserTimeoutBack(_ descriptor: Int32) {
        guard let runtime = Runtime.existing,
            case .entered(let pending) = PendingHandle.of(descriptor, runtime.pointee.connections)
        else { return }
        pending.putUserTimeoutBack()
        pending.leave()
    }

    /// The program's value of an option that the library uses meanwhile; nil for the kernel's.
    public static func lentOption(_ descriptor: Int32, _ level: Int32, _ name: Int32) -> Int32? {
        if level == SOL_SOCKET, name == SO_RCVLOWAT, let value = EncapsulatedIO.lowWater(descriptor) { return value }
        guard let runtime = Runtime.existing,
            case .entered(let pending) = PendingHandle.of(descriptor, runtime.pointee.connections)
        else { return nil }
        defer { pending.leave() }
        return pending.record.pointee.lent.value(of: SocketOption(level, name))
    }

    /// Sets the program's value of such an option.
    public static func setLentOption(
        _ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: UnsafeRawPointer?, _ length: socklen_t
    ) -> HookResult {
        if level == SOL_SOCKET, name == SO_RCVLOWAT,
            let outcome = EncapsulatedIO.setLowWater(descriptor, value, length)
        {
            return outcome
        }
        guard let runtime = Runtime.existing,
            case .entered(let pending) = PendingHandle.of(descriptor, runtime.pointee.connections)
        else { return .pass }
        defer { pending.leave() }
        guard pending.standing == .underWay else { return .pass }
        return pending.setLentOption(SocketOption(level, name), value, length)
    }

    /// shutdown(2): ends an attempt to connect, in either direction; and relayed datagrams.
    public static func shutDown(_ descriptor: Int32, _ how: Int32) -> HookResult {
        guard let runtime = Runtime.existing else { return .pass }
        guard case .entered(var pending) = PendingHandle.of(descriptor, runtime.pointee.connections) else {
            return Datagram.shut(descriptor, how + 1, runtime.pointee.datagrams)
        }
        defer { pending.leave() }
        return pending.standing == .underWay ? pending.dissolve() : .pass
    }

    /// shutdown(2) of an unconnected socket, which the kernel refuses and yet remembers: its next connection is shut
    /// from the start. That must not hold for the connection to the proxy.
    public static func wasShut(_ descriptor: Int32, _ how: Int32) {
        let socket = Socket(descriptor: descriptor)
        guard let runtime = Runtime.existing, socket.isTCP == true, socket.isUnconnectedTCP, let cookie = socket.cookie
        else { return }
        let before = runtime.pointee.sockets.shut(cookie: cookie) ?? 0
        runtime.pointee.sockets.insert(shut: before | (how + 1), cookie: cookie)
    }
}
