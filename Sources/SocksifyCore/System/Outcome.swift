/// What a hook does with a call.
public enum Outcome {
    /// It is none of ours: libc's own function runs.
    case pass
    /// It was decided that it goes direct: libc's own function runs, too.
    case direct(DirectReason)
    case succeeded
    case failed(Errno)

    /// For a call towards a proxied destination on what the kernel tells nothing of: it passes if that is no socket.
    static func pass(unlessRefused socket: Socket) -> Outcome {
        socket.refusal.map { .failed($0) } ?? .pass
    }
}
