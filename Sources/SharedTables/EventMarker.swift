/// The data of the library's own epoll events (epoll_ctl(2)): a slot's number, with a tag that distinguishes it from
/// the program's data.
public struct EventMarker: Sendable {
    private let tag: UInt64

    static var placeBits: Int { 16 }
    private static var placeMask: UInt64 { 1 << placeBits - 1 }

    /// - Parameter random: the source of the tag. Programs use pointers, descriptors, or counters in the upper half as
    ///   data: the tag's uppermost bits exclude pointers and small numbers.
    public init(random: UInt64) {
        tag = (random | 0x9000_0000_0000_0000) & 0xbfff_ffff_ffff_ffff & ~EventMarker.placeMask
    }

    /// The data for a slot.
    public func data(for place: Int) -> UInt64 {
        tag | UInt64(truncatingIfNeeded: place) & EventMarker.placeMask
    }

    /// The slot in the data; nil for data of the program.
    public func place(of data: UInt64) -> Int? {
        data & ~EventMarker.placeMask == tag ? Int(data & EventMarker.placeMask) : nil
    }
}
