/// The data of an event (epoll_event, epoll_ctl(2)) that is the library's, not the program's: the number of a place,
/// behind a tag that a program's own data does not have.
public struct EventMarker: Sendable {
    private let tag: UInt64

    static var placeBits: Int { 16 }
    private static var placeMask: UInt64 { 1 << placeBits - 1 }

    /// - Parameter random: where the tag comes from. Data of programs are pointers, descriptors, or counters in the
    ///   upper half: the tag's uppermost bits make it neither a pointer nor a small number.
    public init(random: UInt64) {
        tag = (random | 0x9000_0000_0000_0000) & 0xbfff_ffff_ffff_ffff & ~EventMarker.placeMask
    }

    /// The data for a place.
    public func data(for place: Int) -> UInt64 {
        tag | UInt64(truncatingIfNeeded: place) & EventMarker.placeMask
    }

    /// The place that the data names; nil for data of the program.
    public func place(of data: UInt64) -> Int? {
        data & ~EventMarker.placeMask == tag ? Int(data & EventMarker.placeMask) : nil
    }
}
