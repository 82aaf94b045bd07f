/// Why a file cannot be read. The numbers are those of errno(3).
public enum FileFailure: Error, Equatable, Sendable {
    /// The file does not exist, as far as this user can see.
    case absent(errno: Int32)
    /// The file exists, and the kernel refuses access.
    case refused(errno: Int32)
    /// A pipe or a device, which may never end.
    case noRegularFile
    case tooLarge
    /// The file system does not answer in time.
    case silent
}
