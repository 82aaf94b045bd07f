import CLibC
import ProxyConfig

/// Drives a handshake in the calling thread: steps it, and waits in between.
struct HandshakeDriver {
    let socket: Socket
    let configuration: Configuration
    /// Whether the program may not be kept waiting by connect(2): then no signal and no SO_SNDTIMEO ends the call,
    /// because neither could end connect(2) on such a socket.
    let isNonBlocking: Bool
    /// When the call began, in milliseconds of `Clock`.
    let began: Int

    /// Why the driver came back.
    enum Outcome {
        case established
        /// SO_SNDTIMEO is over; the handshake can go on.
        case sendTimeoutOver
        /// A signal whose handler does not restart calls; the handshake can go on.
        case interrupted
        case failed(HandshakeError)
    }

    /// The time until SO_SNDTIMEO is looked up. Most answers come sooner, and spare the system call.
    private static var graceBeforeSendTimeout: Int { 10 }

    func drive(_ handshake: inout Handshake) -> Outcome {
        var sendTimeout = SendTimeout.unknown
        while true {
            let readiness: Socket.Readiness
            do {
                switch try handshake.advance(on: socket, configuration) {
                case .established: return .established
                case .waiting(let wanted): readiness = wanted
                }
            } catch {
                return .failed(error)
            }
            if let outcome = wait(for: readiness, &handshake, &sendTimeout) { return outcome }
            if handshake.isConnecting {
                do {
                    try socket.concludeConnecting()
                } catch {
                    return .failed(.kernel(error))
                }
                handshake.connected()
            }
        }
    }

    private enum SendTimeout {
        case unknown
        /// The socket has none, or it does not apply.
        case none
        /// When it is over, in milliseconds of `Clock`.
        case at(Int)
    }

    /// Waits until the socket is ready, and returns nil; or until something ends the drive.
    private func wait(
        for readiness: Socket.Readiness, _ handshake: inout Handshake, _ sendTimeout: inout SendTimeout
    ) -> Outcome? {
        while true {
            let now = Clock.now
            let deadline = handshake.deadline ?? self.deadline(of: handshake, from: now)
            handshake.deadline = deadline
            if let deadline, deadline <= now { return .failed(.timedOut) }
            var limit = deadline.map { $0 - now }
            switch sendTimeout {
            case .none: break
            case .unknown where isNonBlocking: sendTimeout = .none
            case .unknown: limit = min(limit ?? .max, HandshakeDriver.graceBeforeSendTimeout)
            case .at(let end):
                guard end > now else { return .sendTimeoutOver }
                limit = min(limit ?? .max, end - now)
            }
            var isInterrupted = false
            do {
                if try socket.wait(for: readiness, milliseconds: limit) { return nil }
            } catch {
                guard error == .interrupted else { return .failed(.kernel(error)) }
                isInterrupted = true
            }
            if case .unknown = sendTimeout {
                sendTimeout = socket.sendTimeout.map { .at(began + $0) } ?? .none
            }
            if isInterrupted, !isNonBlocking {
                // As connect(2): under SO_SNDTIMEO any handler ends the call, else only one without SA_RESTART. Which
                // handler ran is not to be learned; where there are both kinds, the call ends.
                if case .at = sendTimeout { return .interrupted }
                if kernel_some_handler_interrupts() != 0 { return .interrupted }
            }
        }
    }

    private func deadline(of handshake: Handshake, from now: Int) -> Int? {
        guard handshake.isConnecting else { return now + configuration.readTimeout }
        return configuration.connectTimeout > 0 ? handshake.started + configuration.connectTimeout : nil
    }
}
