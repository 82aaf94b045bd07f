import CKernel
import Testing

@testable import SocksifyCore

@Suite struct LineReaderTests {
    /// What a file gives to one read after the other: bytes, or an error number.
    private enum Piece {
        case text(String)
        case failure(Int32)
    }

    private func lines(_ pieces: [Piece]) -> [String] {
        var rest = pieces[...]
        var reader = LineReader(-1) { _, room, count in
            switch rest.popFirst() {
            case .text(let text)?:
                let bytes = Array(text.prefix(count).utf8)
                room.copyMemory(from: bytes, byteCount: bytes.count)
                if text.count > count { rest = [.text(String(text.dropFirst(count)))] + rest }
                return bytes.count
            case .failure(let errno)?: return -Int(errno)
            case nil: return 0
            }
        }
        var lines: [String] = []
        while let line = reader.next() {
            let bytes = reader.bytes
            lines.append(String(decoding: line.map { bytes[$0] }, as: UTF8.self))
        }
        return lines
    }

    @Test func `lines are read whole, wherever reads cut them`() {
        let text = "one\n\nthree\nfour"
        for cut in 0...text.utf8.count {
            let (first, second) = (text.prefix(cut), text.dropFirst(cut))
            let pieces = [first, second].filter { !$0.isEmpty }.map { Piece.text(String($0)) }
            #expect(lines(pieces) == ["one", "", "three", "four"], "cut at \(cut)")
        }
    }

    @Test func `an empty file has no lines`() {
        #expect(lines([]).isEmpty)
    }

    @Test func `a signal does not end the file`() {
        #expect(lines([.text("one\ntw"), .failure(EINTR), .text("o\n")]) == ["one", "two"])
    }

    @Test func `after an error the part of a line does not count`() {
        #expect(lines([.text("one\ntw"), .failure(EIO), .text("o\n")]) == ["one"])
    }

    @Test func `a line that is longer than the buffer is dropped`() {
        let long = String(repeating: "x", count: 4096)
        #expect(lines([.text(long), .text("x\nafter\n")]) == ["x", "after"])
        #expect(lines([.text("one\n" + String(repeating: "y", count: 4092)), .text("\nafter\n")]).last == "after")
    }
}
