/// The contents of a configuration or password file.
public struct FileText {
    public var bytes: [UInt8]
    /// True if users other than the owner may read the file, so that it should contain no passwords.
    public var isReadableByOthers: Bool

    public init(_ bytes: [UInt8], isReadableByOthers: Bool) {
        self.bytes = bytes
        self.isReadableByOthers = isReadableByOthers
    }
}
