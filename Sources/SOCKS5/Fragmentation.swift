/// Splits the data of a datagram into fragments (RFC 1928 section 7, FRAG).
public struct Fragmentation: Sequence, IteratorProtocol, Sendable {
    /// A part of the data, and the FRAG of its header.
    public struct Fragment: Equatable, Sendable {
        /// 0 for unfragmented data; otherwise 1 to 127, with the high bit set in the last fragment.
        public let number: UInt8
        /// Which bytes of the data.
        public let range: Range<Int>
    }

    private let length: Int
    private let limit: Int
    private var sent = 0
    private var position: UInt8 = 0
    private var isOver = false

    /// - Parameters:
    ///   - length: bytes of data, 0 to `Reassembly.largestPayload`.
    ///   - limit: the maximum number of data bytes in one datagram, 1 or more.
    /// - Returns: nil outside of these ranges, and for more than 127 fragments: EMSGSIZE.
    public init?(of length: Int, limit: Int) {
        guard length >= 0, length <= Reassembly.largestPayload, limit >= 1 else { return nil }
        guard limit >= length || (length - 1) / limit + 1 <= 127 else { return nil }
        self.length = length
        self.limit = limit
    }

    /// The next fragment; nil after the last. Data that fit into one datagram, also empty data, make one fragment.
    public mutating func next() -> Fragment? {
        guard !isOver else { return nil }
        let start = sent
        sent += Swift.min(limit, length - sent)
        isOver = sent == length
        guard limit < length else { return Fragment(number: 0, range: start..<sent) }
        position &+= 1
        return Fragment(number: isOver ? position | 0x80 : position, range: start..<sent)
    }
}
