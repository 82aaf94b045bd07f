/// The result of a hook.
public enum HookResult {
    /// Not handled here; call libc's own function.
    case pass
    /// It goes direct: call libc's own function, too.
    case direct(DirectReason)
    case succeeded
    case failed(Errno)

    /// For a call towards a proxied destination on a descriptor that may not be a socket: `pass` if it is none,
    /// `failed` if the kernel refuses to tell.
    static func pass(unlessRefused socket: Socket) -> HookResult {
        socket.refusal.map { .failed($0) } ?? .pass
    }
}
