/// Joins the fragments of datagrams (RFC 1928 section 7, reassembly queue and timer), with the caller's clock and
/// memory.
///
/// Fragments must arrive in order: a late or repeated one, a gap, or one that does not fit ends the sequence and loses
/// its data. There is one sequence at a time.
///
/// The memory holds the header of the first fragment and the data so far, so that a complete sequence looks like an
/// unfragmented datagram. The value contains no references, and may lie in memory that moves, or that processes share.
public struct Reassembly: Sendable {
    /// Bytes of memory for every datagram: the longest header and the most data.
    public static var capacity: Int { DatagramHeader.capacity + largestPayload }
    /// The most data of a UDP datagram over IPv4, in bytes (RFC 768, RFC 791).
    public static var largestPayload: Int { 65_507 }
    /// Milliseconds from the first fragment to the last; the RFC requires at least 5 seconds.
    public static var timeLimit: Int { 5000 }

    /// The number of the last accepted fragment, 1 to 127; 0 between sequences.
    private var position: UInt8 = 0
    /// The length of the header in the memory.
    private var headerLength = 0
    /// The length of header and data in the memory.
    private var length = 0
    /// The end of the sequence's time, in the caller's milliseconds.
    private var deadline = 0

    public init() {}

    /// The result for a datagram.
    public enum Outcome: Equatable, Sendable {
        /// It is not fragmented.
        case whole
        /// It is stored or dropped; there is nothing to read.
        case nothing
        /// It was the last fragment: the first `length` bytes of the memory are a datagram with header and data, FRAG
        /// 0, until the next call.
        case joined(length: Int)
    }

    /// Takes a datagram from the proxy.
    ///
    /// - Parameters:
    ///   - header: the result of `DatagramHeader.read` for `datagram`.
    ///   - memory: the same `capacity` bytes in each call; with fewer, datagrams that do not fit are dropped.
    ///   - now: milliseconds of a monotonic clock.
    public mutating func receive(
        _ datagram: Span<UInt8>, _ header: DatagramHeader.Received, in memory: UnsafeMutableRawBufferPointer,
        at now: Int
    ) -> Outcome {
        let next = header.fragment & 0x7f
        let isLast = header.fragment & 0x80 != 0
        if position > 0, now >= deadline { abandon() }
        // RFC 1928: a lower number ends the sequence, also 0 of an unfragmented datagram. 1 begins another.
        if next < position || next == 1 { abandon() }
        if header.fragment == 0 { return .whole }

        if next == 1 {
            guard begin(with: datagram, header, in: memory, at: now) else { return .nothing }
        } else {
            // A fragment from another source.
            guard position > 0, continues(datagram, memory) else { return .nothing }
            // A repeated number ends the sequence like a gap: it may belong to the next sequence, and their data must
            // not be mixed.
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

    /// Ends the sequence. The memory keeps its contents.
    private mutating func abandon() {
        position = 0
    }

    /// Stores the first fragment as an unfragmented datagram; false if it does not fit.
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

    /// Appends `bytes` in the memory; false if they do not fit.
    private mutating func append(_ bytes: Span<UInt8>, to memory: UnsafeMutableRawBufferPointer) -> Bool {
        let end = length + bytes.count
        guard end <= memory.count, end - headerLength <= Reassembly.largestPayload else { return false }
        let position = UnsafeMutableRawBufferPointer(rebasing: memory[length..<end])
        bytes.withUnsafeBytes { position.copyMemory(from: $0) }
        length = end
        return true
    }
}
