import Addressing

/// Which names a resolver could find. Other names get no reserved address and fail without a query, as with libc.
public enum NameSyntax {
    /// Whether `name` can be a host's name in the DNS: labels of 1 to 63 letters, digits, hyphens and underscores
    /// (which real hosts have, whatever RFC 952 says), 253 bytes in all without the final dot, not all digits in
    /// the last label (RFC 3696 section 2), and not below `.invalid` (RFC 6761 section 6.4).
    public static func isResolvable(_ name: Span<UInt8>) -> Bool {
        let name = withoutFinalDot(name)
        guard name.count > 0, name.count <= 253 else { return false }
        var start = 0
        var digitsOnly = true
        for index in 0...name.count {
            if index == name.count || name[index] == UInt8(ascii: ".") {
                guard index > start, index - start <= 63 else { return false }
                if index == name.count { break }
                start = index + 1
                digitsOnly = true
            } else {
                guard isLabelCharacter(name[index]) else { return false }
                digitsOnly = digitsOnly && decimalDigit(name[index]) != nil
            }
        }
        return !digitsOnly && !isOrIsBelow(name, "invalid")
    }

    /// Whether `name` is `localhost` or below it: always this machine (RFC 6761 section 6.3).
    public static func isLocalhost(_ name: Span<UInt8>) -> Bool {
        isOrIsBelow(withoutFinalDot(name), "localhost")
    }

    /// Whether programs may get `name` from a server's answer: a host name, without escapes, not only digits, and not
    /// one of this machine.
    public static func isOfHostElsewhere(_ name: Span<UInt8>) -> Bool {
        isResolvable(name) && !isLocalhost(name)
    }

    /// Whether `name` is below `onion`: an onion service of Tor, which has no address (RFC 7686).
    public static func isOnion(_ name: Span<UInt8>) -> Bool {
        isOrIsBelow(withoutFinalDot(name), "onion")
    }

    /// The name without the final dot.
    @_lifetime(copy name)
    public static func withoutFinalDot(_ name: Span<UInt8>) -> Span<UInt8> {
        name.count > 1 && name[name.count - 1] == UInt8(ascii: ".") ? name.extracting(droppingLast: 1) : name
    }

    private static func isLabelCharacter(_ character: UInt8) -> Bool {
        decimalDigit(character) != nil || character == UInt8(ascii: "-") || character == UInt8(ascii: "_")
            || lowercased(character) >= UInt8(ascii: "a") && lowercased(character) <= UInt8(ascii: "z")
    }

    /// - Parameter parent: in lower case.
    static func isOrIsBelow(_ name: Span<UInt8>, _ parent: StaticString) -> Bool {
        let length = parent.utf8CodeUnitCount
        guard name.count >= length else { return false }
        let start = name.count - length
        for index in 0..<length where lowercased(name[start + index]) != parent.utf8Start[index] { return false }
        return start == 0 || name[start - 1] == UInt8(ascii: ".")
    }
}
