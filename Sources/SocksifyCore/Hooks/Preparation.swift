import CKernel

/// What is needed for connections may not be to be had when the first is made: a process may have put itself under a
/// filter of system calls (seccomp(2)) by then, or have no descriptor left.
public enum Preparation {
    /// What cannot be read later is read now. That it cannot be read is no matter before there is something to connect to,
    /// and nothing is said of it.
    public static func prepare() {
        Runtime.prepare()
    }
}
