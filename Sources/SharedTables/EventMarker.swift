/// The data of the library's own epoll events (epoll_ctl(2)): a slot's number, with a tag that distinguishes it from
/// the program's data.
public struct EventMarker: Sendable {
    private let tag: UInt64

    static var slotBits: Int { 16 }
    private static var slotMask: UInt64 { 1 << slotBits - 1 }

    /// - Parameter random: the source of the tag. Programs use pointers, descriptors, or counters in the upper half as
    ///   data: the tag's uppermost bits exclude pointers and small numbers.
    public init(random: UInt64) {
        tag = (random | 0x9000_0000_0000_0000) & 0xbfff_ffff_ffff_ffff & ~EventMarker.slotMask
    }

    /// The data for a slot.
    public func data(for slot: Int) -> UInt64 {
        tag | UInt64(truncatingIfNeeded: slot) & EventMarker.slotMask
    }

    /// The slot in the data; nil for data of the program.
    public func slot(of data: UInt64) -> Int? {
        data & ~EventMarker.slotMask == tag ? Int(data & EventMarker.slotMask) : nil
    }
}
