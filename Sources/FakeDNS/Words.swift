import Addressing

/// The line without its comment.
@_lifetime(copy line)
func withoutComment(_ line: Span<UInt8>) -> Span<UInt8> {
    var end = 0
    while end < line.count, line[end] != UInt8(ascii: "#"), line[end] != UInt8(ascii: "\n") { end += 1 }
    return line.extracting(first: end)
}

/// The next run of characters that are not white space; empty at the end.
func word(in text: Span<UInt8>, from position: Int) -> Range<Int> {
    var start = position
    while start < text.count, isSpace(text[start]) { start += 1 }
    var end = start
    while end < text.count, !isSpace(text[end]) { end += 1 }
    return start..<end
}

/// - Parameter keyword: in lower case.
func isWord(_ text: Span<UInt8>, _ keyword: StaticString) -> Bool {
    guard text.count == keyword.utf8CodeUnitCount else { return false }
    for index in text.indices where lowercased(text[index]) != keyword.utf8Start[index] { return false }
    return true
}

private func isSpace(_ character: UInt8) -> Bool {
    character == UInt8(ascii: " ") || character >= 9 && character <= 13
}

/// A number in decimal digits; nil for anything else, and for more than 2^31 - 1.
func decimalNumber(_ text: Span<UInt8>) -> Int? {
    guard text.count > 0 else { return nil }
    var number = 0
    for index in text.indices {
        guard let digit = decimalDigit(text[index]) else { return nil }
        number = number * 10 + Int(digit)
        guard number <= Int32.max else { return nil }
    }
    return number
}
