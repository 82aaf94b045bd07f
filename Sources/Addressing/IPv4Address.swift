/// An IPv4 address.
public struct IPv4Address: Equatable, Sendable {
    /// The address as a number, the first octet in the highest bits.
    public let value: UInt32

    public init(_ value: UInt32) {
        self.value = value
    }

    public init(_ first: UInt8, _ second: UInt8, _ third: UInt8, _ fourth: UInt8) {
        value = UInt32(first) << 24 | UInt32(second) << 16 | UInt32(third) << 8 | UInt32(fourth)
    }

    /// The octets in the order of the wire.
    public var octets: InlineArray<4, UInt8> {
        [
            UInt8(truncatingIfNeeded: value >> 24), UInt8(truncatingIfNeeded: value >> 16),
            UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value),
        ]
    }

    /// 0.0.0.0, which connect(2) on Linux takes as the local host.
    public var isUnspecified: Bool { value == 0 }

    /// 127.0.0.0/8, RFC 1122 section 3.2.1.3.
    public var isLoopback: Bool { value >> 24 == 127 }

    /// Reads four decimal octets with dots, as inet_pton(3) does: no leading zeros, no shorter forms.
    public init?(parsing text: Span<UInt8>) {
        var value: UInt32 = 0
        var index = 0
        for part in 0..<4 {
            if part > 0 {
                guard index < text.count, text[index] == UInt8(ascii: ".") else { return nil }
                index += 1
            }
            let start = index
            var octet: UInt32 = 0
            while index < text.count, let digit = decimalDigit(text[index]) {
                octet = octet * 10 + UInt32(digit)
                index += 1
                guard octet <= 255, index - start <= 3 else { return nil }
            }
            guard index > start, index - start == 1 || text[start] != UInt8(ascii: "0") else { return nil }
            value = value << 8 | octet
        }
        guard index == text.count else { return nil }
        self.value = value
    }

    /// Writes the dotted form.
    public func write(to sink: inout some ByteSink) {
        let octets = self.octets
        for index in octets.indices {
            if index > 0 { sink.append(UInt8(ascii: ".")) }
            sink.append(decimal: octets[index])
        }
    }
}

/// The value of an ASCII decimal digit, nil for any other character.
public func decimalDigit(_ character: UInt8) -> UInt8? {
    guard character >= UInt8(ascii: "0"), character <= UInt8(ascii: "9") else { return nil }
    return character - UInt8(ascii: "0")
}

/// The value of an ASCII hexadecimal digit of either case, nil for any other character.
public func hexadecimalDigit(_ character: UInt8) -> UInt8? {
    if let digit = decimalDigit(character) { return digit }
    let lowered = character | 0x20
    guard lowered >= UInt8(ascii: "a"), lowered <= UInt8(ascii: "f") else { return nil }
    return lowered - UInt8(ascii: "a") + 10
}
