/// Joins the fragments of one datagram after another (RFC 1928 section 7): the RFC's queue and its timer, without a clock
/// and without memory of its own.
///
/// Fragments are taken in their order alone: one that comes late, a gap, a repeated one, or one that does not fit ends
/// the sequence, and its data are lost, as those of datagrams may be. One sequence at a time is under way.
///
/// The memory holds the header of the first fragment and behind it the data so far, so that a sequence that is complete
/// lies there as a datagram that came whole. The value refers to nothing, and may lie in memory that moves, or that
/// processes share.
public struct Reassembly: Sendable {
    /// Bytes of memory that every datagram fits in: the longest header, and the most data that UDP carries in IPv4.
    public static var capacity: Int { DatagramHeader.capacity + largestPayload }
    /// The most data that a UDP datagram carries in IPv4 (RFC 768, RFC 791).
    public static var largestPayload: Int { 65_507 }
    /// Milliseconds from the first fragment to the last; the RFC wants 5 seconds or more.
    public static var timeLimit: Int { 5000 }

    /// The position of the last fragment that was taken, 1 to 127; 0 between sequences.
    private var position: UInt8 = 0
    /// Of the header in the memory.
    private var headerLength = 0
    /// Of header and data in the memory.
    private var length = 0
    /// When the sequence is given up, in the caller's milliseconds.
    private var deadline = 0

    public init() {}

    /// What became of a datagram.
    public enum Outcome: Equatable, Sendable {
        /// It is no fragment, but complete as it came.
        case whole
        /// It is kept, or dropped; there is nothing to read.
        case nothing
        /// It was the last fragment: so many bytes of the memory are a datagram with header and data, FRAG 0, until the
        /// next call.
        case joined(length: Int)
    }

    /// Takes a datagram from the proxy.
    ///
    /// - Parameters:
    ///   - header: what `DatagramHeader.read` says of `datagram`.
    ///   - memory: the same bytes in each call, `capacity` of them; with fewer, what does not fit is dropped.
    ///   - now: milliseconds of a clock that never goes back.
    public mutating func receive(
        _ datagram: Span<UInt8>, _ header: DatagramHeader.Received, in memory: UnsafeMutableRawBufferPointer,
        at now: Int
    ) -> Outcome {
        let next = header.fragment & 0x7f
        let isLast = header.fragment & 0x80 != 0
        if position > 0, now >= deadline { abandon() }
        // The RFC has a lower number end the sequence, also that of a datagram that is whole. The first one begins another.
        if next < position || next == 1 { abandon() }
        if header.fragment == 0 { return .whole }

        if next == 1 {
            guard begin(with: datagram, header, in: memory, at: now) else { return .nothing }
        } else {
            // A fragment of something else, which this sequence knows nothing of.
            guard position > 0, continues(datagram, memory) else { return .nothing }
            // A repeated number ends the sequence as a gap does: it may be of the next one, whose data must not be joined
            // to those of this one.
            guard next == position &+ 1, append(datagram.extracting(droppingFirst: header.length), to: memory) else {
                abandon()
                return .nothing
            }
        }
        position = next
        guard isLast else { return .nothing }
        abandon()
        return .joined(length: length)
    }

    /// Ends the sequence. What the memory holds stays as it is.
    private mutating func abandon() {
        position = 0
    }

    /// Puts the first fragment into the memory as a datagram without fragments; false where it does not fit.
    private mutating func begin(
        with datagram: Span<UInt8>, _ header: DatagramHeader.Received, in memory: UnsafeMutableRawBufferPointer,
        at now: Int
    ) -> Bool {
        guard datagram.count >= header.length else { return false }
        length = 0
        headerLength = header.length
        guard append(datagram, to: memory) else { return false }
        memory[2] = 0
        deadline = now &+ Reassembly.timeLimit
        return true
    }

    /// Whether a fragment has the source of the sequence: the same ATYP, DST.ADDR and DST.PORT.
    private func continues(_ datagram: Span<UInt8>, _ memory: UnsafeMutableRawBufferPointer) -> Bool {
        guard datagram.count >= headerLength, memory.count >= headerLength else { return false }
        for index in 3..<headerLength where datagram[index] != memory[index] { return false }
        return true
    }

    /// Puts `bytes` behind what the memory holds; false where they do not fit.
    private mutating func append(_ bytes: Span<UInt8>, to memory: UnsafeMutableRawBufferPointer) -> Bool {
        let end = length + bytes.count
        guard end <= memory.count, end - headerLength <= Reassembly.largestPayload else { return false }
        let place = UnsafeMutableRawBufferPointer(rebasing: memory[length..<end])
        bytes.withUnsafeBytes { place.copyMemory(from: $0) }
        length = end
        return true
    }
}
