import CKernel
import SharedTables

/// Calls that read from, write to or ask about a stream that may be pending. A program that does not wait goes on with
/// the handshake by each of them.
public enum Stream {
    public enum Direction {
        case receiving
        case sending
    }

    /// Before a call that reads or writes: `pass` when it can go on.
    ///
    /// - Parameter isNonBlocking: whether the call is, whatever the socket is (MSG_DONTWAIT).
    public static func prepare(_ descriptor: Int32, _ direction: Direction, isNonBlocking: Bool) -> HookResult {
        let socket = Socket(descriptor: descriptor)
        return finish(
            socket, limit: direction == .sending ? .sendTimeout : .receiveTimeout,
            waits: !isNonBlocking && !socket.isNonBlocking)
    }

    /// Before a descriptor is sent to another process, which may know nothing of a handshake and would write into it:
    /// waits until it is over. Its failure stays the program's to ask for, here or there.
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

    /// Goes on with the handshake of a socket, to its end if the call waits.
    ///
    /// - Parameter waits: asked only while a handshake is under way.
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

    /// SO_ERROR, which thereby is taken; nil when it is the kernel's to tell.
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

    /// Whether a handshake is under way, so that there is nothing of the program's to be read.
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

    /// The program asks for TCP_USER_TIMEOUT or sets it, and shall not see the library's. What is left of the time to
    /// connect, the handshake's deadline limits.
    public static func putUserTimeoutBack(_ descriptor: Int32) {
        guard let runtime = Runtime.existing,
            case .entered(let pending) = PendingHandle.of(descriptor, runtime.pointee.connections)
        else { return }
        pending.putUserTimeoutBack()
        pending.leave()
    }

    /// What the program has set an option to that the library has lent itself; nil: what the kernel says.
    public static func lentOption(_ descriptor: Int32, _ level: Int32, _ name: Int32) -> Int32? {
        guard let runtime = Runtime.existing,
            case .entered(let pending) = PendingHandle.of(descriptor, runtime.pointee.connections)
        else { return nil }
        defer { pending.leave() }
        return pending.record.pointee.lent.value(of: SocketOption(level, name))
    }

    /// The program sets such an option.
    public static func setLentOption(
        _ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: UnsafeRawPointer?, _ length: socklen_t
    ) -> HookResult {
        guard let runtime = Runtime.existing,
            case .entered(let pending) = PendingHandle.of(descriptor, runtime.pointee.connections)
        else { return .pass }
        defer { pending.leave() }
        guard pending.standing == .underWay else { return .pass }
        return pending.setLentOption(SocketOption(level, name), value, length)
    }

    /// shutdown(2): ends an attempt to connect, in whatever direction; and relayed datagrams.
    public static func shutDown(_ descriptor: Int32, _ how: Int32) -> HookResult {
        guard let runtime = Runtime.existing else { return .pass }
        guard case .entered(var pending) = PendingHandle.of(descriptor, runtime.pointee.connections) else {
            return Datagram.shut(descriptor, how + 1, runtime.pointee.datagrams)
        }
        defer { pending.leave() }
        return pending.standing == .underWay ? pending.dissolve() : .pass
    }

    /// shutdown(2) of a socket that is not connected, which the kernel has refused, and taken note of: a connection that is
    /// made by it is shut from the start. The way to the proxy must not be.
    public static func wasShut(_ descriptor: Int32, _ how: Int32) {
        let socket = Socket(descriptor: descriptor)
        guard let runtime = Runtime.existing, socket.isTCP == true, socket.isUnconnectedTCP, let cookie = socket.cookie
        else { return }
        let before = runtime.pointee.sockets.shut(cookie: cookie) ?? 0
        runtime.pointee.sockets.insert(shut: before | (how + 1), cookie: cookie)
    }
}
