/// Why nothing can be had from a file. The numbers are those of errno(3).
public enum FileFailure: Error, Equatable, Sendable {
    /// There is none, as far as this user can see.
    case absent(errno: Int32)
    /// It is there, and the kernel does not give it.
    case refused(errno: Int32)
    /// A pipe, a device: nobody knows when it ends.
    case noRegularFile
    case tooLarge
    /// Its file system does not answer.
    case silent
}
