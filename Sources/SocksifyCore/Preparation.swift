import CLibC

/// A process that puts itself under a filter of system calls (seccomp(2)).
public enum Confinement {
    /// What cannot be read later is read now. That it cannot be read is no matter before there is something to connect to,
    /// and nothing is said of it.
    public static func prepare() {
        Runtime.prepare()
    }
}
