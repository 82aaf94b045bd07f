/// A destination for bytes: an array, or a fixed buffer where allocation is not allowed.
public protocol ByteSink {
    /// Appends one byte. A full sink of fixed size drops it.
    mutating func append(_ byte: UInt8)
}

extension Array: ByteSink where Element == UInt8 {}

// Not inlined, for size: otherwise each text of a message would become a loop of its own.
extension ByteSink {
    /// Writes the characters of a literal.
    @inline(never)
    public mutating func append(_ text: StaticString) {
        guard text.hasPointerRepresentation else { return }
        for index in 0..<text.utf8CodeUnitCount { append(text.utf8Start[index]) }
    }

    /// Writes every byte of `bytes`.
    @inline(never)
    public mutating func append(_ bytes: Span<UInt8>) {
        for index in bytes.indices { append(bytes[index]) }
    }

    /// Writes `number` in decimal digits.
    public mutating func append<Number: BinaryInteger>(decimal number: Number) {
        if number < 0 { append(UInt8(ascii: "-")) }
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var rest = UInt64(number.magnitude)
        var count = 0
        repeat {
            digits[count] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
            count += 1
        } while rest > 0 && count < 20
        while count > 0 {
            count -= 1
            append(digits[count])
        }
    }

    /// Writes `number` in lower-case hexadecimal digits, without leading zeros.
    public mutating func append(hexadecimal number: UInt16) {
        var shift: UInt16 = number > 0xfff ? 12 : number > 0xff ? 8 : number > 0xf ? 4 : 0
        while true {
            let digit = UInt8(number >> shift & 0xf)
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            guard shift > 0 else { return }
            shift -= 4
        }
    }
}
