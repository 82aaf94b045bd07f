import Addressing

/// The text that is being read.
struct SourceText {
    let bytes: [UInt8]

    init(_ text: Span<UInt8>) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        for index in text.indices { bytes.append(text[index]) }
        self.bytes = bytes
    }

    var whole: Range<Int> { 0..<bytes.count }

    func copy(_ range: Range<Int>) -> [UInt8] {
        var copy: [UInt8] = []
        copy.reserveCapacity(range.count)
        for index in range { copy.append(bytes[index]) }
        return copy
    }

    func lowercasedCopy(_ range: Range<Int>) -> [UInt8] {
        var copy = self.copy(range)
        for index in copy.indices { copy[index] = lowercased(copy[index]) }
        return copy
    }

    @inline(never)
    func equals(_ range: Range<Int>, _ word: StaticString) -> Bool {
        range.count == word.utf8CodeUnitCount && starts(range, with: word)
    }

    func equals(_ range: Range<Int>, _ word: [UInt8]) -> Bool {
        guard range.count == word.count else { return false }
        for offset in word.indices where bytes[range.lowerBound + offset] != word[offset] { return false }
        return true
    }

    func starts(_ range: Range<Int>, with word: StaticString) -> Bool {
        guard range.count >= word.utf8CodeUnitCount else { return false }
        for offset in 0..<word.utf8CodeUnitCount
        where bytes[range.lowerBound + offset] != word.utf8Start[offset] { return false }
        return true
    }

    func first(_ character: UInt8, in range: Range<Int>) -> Int? {
        for index in range where bytes[index] == character { return index }
        return nil
    }

    func last(_ character: UInt8, in range: Range<Int>) -> Int? {
        var index = range.upperBound
        while index > range.lowerBound {
            index -= 1
            if bytes[index] == character { return index }
        }
        return nil
    }

    func first(_ word: StaticString, in range: Range<Int>) -> Int? {
        for index in range where starts(index..<range.upperBound, with: word) { return index }
        return nil
    }

    /// `range` without the white space at both ends.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, isSpace(bytes[start]) { start += 1 }
        while end > start, isSpace(bytes[end - 1]) { end -= 1 }
        return start..<end
    }

    /// The first word of `range`, and what follows it without the white space between them.
    func splitWord(_ range: Range<Int>) -> (word: Range<Int>, rest: Range<Int>) {
        let range = trimmed(range)
        var end = range.lowerBound
        while end < range.upperBound, !isSpace(bytes[end]) { end += 1 }
        return (range.lowerBound..<end, trimmed(end..<range.upperBound))
    }

    func address(_ range: Range<Int>) -> IPAddress? {
        IPAddress(parsing: bytes.span.extracting(range))
    }

    func addressV4(_ range: Range<Int>) -> IPv4Address? {
        IPv4Address(parsing: bytes.span.extracting(range))
    }

    func addressV6(_ range: Range<Int>) -> IPv6Address? {
        IPv6Address(parsing: bytes.span.extracting(range))
    }

    /// The number that `range` is, all of it; nil where there is anything but digits, and above `maximum`.
    func number(_ range: Range<Int>, maximum: Int) -> Int? {
        let (number, end) = leadingNumber(range, maximum: maximum)
        return end == range.upperBound ? number : nil
    }

    /// The number that `range` begins with, and where its digits end; nil without a digit, and above
    /// `maximum`.
    func leadingNumber(_ range: Range<Int>, maximum: Int) -> (number: Int?, end: Int) {
        var number: Int? = 0
        var index = range.lowerBound
        while index < range.upperBound, let digit = decimalDigit(bytes[index]) {
            if let sum = number {
                let (tens, overflow) = sum.multipliedReportingOverflow(by: 10)
                let (next, carry) = tens.addingReportingOverflow(Int(digit))
                number = overflow || carry || next > maximum ? nil : next
            }
            index += 1
        }
        return (index == range.lowerBound ? nil : number, index)
    }
}
