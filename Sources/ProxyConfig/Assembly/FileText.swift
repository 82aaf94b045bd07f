/// What a file has, as whoever puts a configuration together is given it.
public struct FileText {
    public var bytes: [UInt8]
    /// Whether others than the file's owner may read it, so that passwords do not belong in it.
    public var isReadableByOthers: Bool

    public init(_ bytes: [UInt8], isReadableByOthers: Bool) {
        self.bytes = bytes
        self.isReadableByOthers = isReadableByOthers
    }
}
