import CGSSAPI

/// What the mechanism said of a failure: one line, without a zero byte.
public struct SecurityFailure: Sendable {
    private var text = InlineArray<200, CChar>(repeating: 0)
    private var length = 0

    init() {}

    init(_ status: gssapi_status) {
        var room = text.mutableSpan
        length = room.withUnsafeMutableBufferPointer { room in
            guard let start = room.baseAddress else { return 0 }
            return gssapi_describe(status, start, room.count)
        }
    }

    /// A reason of this side's.
    public init(_ reason: StaticString) {
        reason.withUTF8Buffer { bytes in
            length = min(bytes.count, text.count)
            for index in 0..<length { text[index] = CChar(bitPattern: bytes[index]) }
        }
    }

    public var isEmpty: Bool { length == 0 }

    public func forEachByte(_ body: (UInt8) -> Void) {
        for index in 0..<length { body(UInt8(bitPattern: text[index])) }
    }
}
