/// Bytes that are written where they are used, in memory of somebody else's; what has no room is dropped.
public struct BytesInPlace: ByteSink {
    private let room: UnsafeMutableRawBufferPointer
    public private(set) var count = 0

    /// - Parameter room: must stay as long as this.
    public init(_ room: UnsafeMutableRawBufferPointer) {
        self.room = room
    }

    public mutating func append(_ byte: UInt8) {
        guard count < room.count else { return }
        room[count] = byte
        count += 1
    }

    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: room[..<count]) }
}
