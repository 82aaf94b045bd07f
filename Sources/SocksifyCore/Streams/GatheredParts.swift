import CPreload

/// The bytes of a program's parts one piece after the other: small ones are put together, so that they become one
/// message.
struct GatheredParts {
    private var parts: MessageParts
    private let scratch: UnsafeMutableRawBufferPointer
    /// The rest of the present part.
    private var rest = UnsafeRawBufferPointer(start: nil, count: 0)
    /// The rest of the present piece.
    private var piece = UnsafeRawBufferPointer(start: nil, count: 0)

    init(_ parts: MessageParts, skipping skipped: Int, _ scratch: UnsafeMutableRawBufferPointer) {
        self.parts = parts
        self.scratch = scratch
        var left = skipped
        while left > 0 {
            if rest.isEmpty { advance() }
            if rest.isEmpty { break }
            let count = min(left, rest.count)
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            left -= count
        }
    }

    /// The present piece, of at most `limit` bytes; nil at the end.
    mutating func next(limit: Int) -> UnsafeRawBufferPointer? {
        if piece.isEmpty { makePiece() }
        return piece.isEmpty ? nil : UnsafeRawBufferPointer(rebasing: piece[..<min(piece.count, limit)])
    }

    /// Goes on behind this many bytes of the piece.
    mutating func drop(_ count: Int) {
        piece = UnsafeRawBufferPointer(rebasing: piece[min(count, piece.count)...])
    }

    private mutating func makePiece() {
        if rest.isEmpty { advance() }
        if rest.count >= scratch.count {
            piece = rest
            rest = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        var filled = 0
        while !rest.isEmpty, filled < scratch.count {
            let count = min(rest.count, scratch.count - filled)
            UnsafeMutableRawBufferPointer(rebasing: scratch[filled..<filled + count]).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
            filled += count
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            if rest.isEmpty { advance() }
        }
        piece = UnsafeRawBufferPointer(rebasing: scratch[..<filled])
    }

    private mutating func advance() {
        while rest.isEmpty, let part = parts.next() {
            rest = UnsafeRawBufferPointer(start: part.iov_base, count: part.iov_len)
        }
    }
}
