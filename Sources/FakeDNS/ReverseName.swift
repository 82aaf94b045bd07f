import Addressing

/// The names under which the DNS keeps the names of addresses: 1.2.0.192.in-addr.arpa for 192.0.2.1 (RFC 1035
/// section 3.5), and 32 hexadecimal digits under ip6.arpa (RFC 3596 section 2.5), the last one first in both.
public enum ReverseName {
    /// Whether `name` is one of the two domains, or below it: addresses' names, and nothing else.
    public static func isInDomain(_ name: Span<UInt8>) -> Bool {
        NameSyntax.isOrIsBelow(name, "in-addr.arpa") || NameSyntax.isOrIsBelow(name, "ip6.arpa")
    }

    /// The address whose name is kept under `name`; nil for any other name, and for those of whole networks.
    public static func address(of name: Span<UInt8>) -> IPAddress? {
        if NameSyntax.isOrIsBelow(name, "in-addr.arpa") {
            // With the dot before it.
            let octets = name.extracting(droppingLast: min(13, name.count))
            return IPv4Address(parsing: octets).map { .v4(IPv4Address($0.value.byteSwapped)) }
        }
        guard name.count == 32 * 2 + 8, NameSyntax.isOrIsBelow(name, "ip6.arpa") else { return nil }
        var low: UInt64 = 0
        var high: UInt64 = 0
        for index in 0..<32 {
            guard let digit = hexadecimalDigit(name[2 * index]), name[2 * index + 1] == UInt8(ascii: ".") else {
                return nil
            }
            if index < 16 {
                low |= UInt64(digit) << UInt64(4 * index)
            } else {
                high |= UInt64(digit) << UInt64(4 * (index - 16))
            }
        }
        return .v6(IPv6Address(high: high, low: low))
    }

    /// Writes the reverse name of `address`.
    public static func write(for address: IPAddress, to sink: inout some ByteSink) {
        switch address {
        case .v4(let address):
            IPv4Address(address.value.byteSwapped).write(to: &sink)
            sink.append(".in-addr.arpa")
        case .v6(let address):
            for index in 0..<32 {
                let half = index < 16 ? address.low : address.high
                sink.append(hexadecimal: UInt16(truncatingIfNeeded: half >> UInt64(4 * (index % 16)) & 0xf))
                sink.append(UInt8(ascii: "."))
            }
            sink.append("ip6.arpa")
        }
    }
}
