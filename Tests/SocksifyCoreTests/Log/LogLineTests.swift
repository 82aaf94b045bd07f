import Addressing
import Testing

@testable import SocksifyCore

@Suite struct LogLineTests {
    private func line(_ compose: (inout LogLine) -> Void) -> LogLine {
        var line = LogLine()
        compose(&line)
        return line
    }

    private func text(_ line: LogLine) -> String {
        String(decoding: Array(line.text), as: UTF8.self)
    }

    @Test func `a control character becomes a question mark`() {
        let line = line {
            for byte in [0x41, 0x00, 0x0a, 0x1b, 0x1f, 0x20, 0x7e, 0x7f, 0xc3] { $0.append(UInt8(byte)) }
        }
        #expect(Array(line.text) == [0x41, 0x3f, 0x3f, 0x3f, 0x3f, 0x20, 0x7e, 0x3f, 0xc3])
    }

    @Test func `a line is cut at 511 bytes and ends with a newline`() {
        let message = line { for _ in 0..<600 { $0.append(UInt8(ascii: "a")) } }
        #expect(message.text.count == 511)
        let whole = line { $0.end(with: message, leftOut: 0) }
        #expect(text(whole) == String(repeating: "a", count: 511) + "\n")
    }

    @Test func `how many lines were left out stands at the end, whatever its length`() {
        let short = line { $0.append("short") }
        #expect(text(line { $0.end(with: short, leftOut: 3) }) == "short (3 lines omitted)\n")
        let long = line { for _ in 0..<600 { $0.append(UInt8(ascii: "a")) } }
        let whole = text(line { $0.end(with: long, leftOut: 1_048_575) })
        #expect(whole.hasSuffix("aaa (1048575 lines omitted)\n"))
        #expect(whole.utf8.count <= 512)
    }

    @Test func `texts have digests of their own, none of which is 0`() {
        let texts = ["", "a", "b", "ab", "ba"].map { text in line { $0.append(Array(text.utf8).span) }.digest }
        #expect(Set(texts).count == 5)
        #expect(!texts.contains(0))
        #expect(line { $0.append("ab") }.digest == texts[3])
    }
}
