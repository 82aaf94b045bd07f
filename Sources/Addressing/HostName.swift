/// A host name in a SOCKS request: 1 to 255 bytes of any value (RFC 1928 section 5, ATYP X'03').
public struct HostName: Sendable {
    private let string: ShortString

    /// Copies `bytes`; nil if there are none, or more than 255.
    @inline(never)
    public init?(_ bytes: Span<UInt8>) {
        guard let string = ShortString(bytes) else { return nil }
        self.string = string
    }

    /// 1 to 255.
    public var count: Int { string.count }

    public var bytes: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { string.bytes }
    }

    public func write(to sink: inout some ByteSink) {
        sink.append(bytes)
    }
}

extension HostName: Equatable {
    /// Compares without regard to the case of ASCII letters (RFC 4343).
    public static func == (left: HostName, right: HostName) -> Bool {
        equalIgnoringCase(left.bytes, right.bytes)
    }
}

/// Compares two names without regard to the case of ASCII letters (RFC 4343).
public func equalIgnoringCase(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    for index in left.indices where lowercased(left[index]) != lowercased(right[index]) { return false }
    return true
}

/// The lower case of an ASCII letter; any other byte as it is.
public func lowercased(_ character: UInt8) -> UInt8 {
    character >= UInt8(ascii: "A") && character <= UInt8(ascii: "Z") ? character | 0x20 : character
}
