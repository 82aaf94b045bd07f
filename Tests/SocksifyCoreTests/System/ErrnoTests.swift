import Foundation
import Testing

@testable import SocksifyCore

@Suite struct ErrnoTests {
    @Test func `a negative result is the error of its number`() {
        #expect(Errno(result: -111) == .connectionRefused)
        #expect(Errno(result: -110).code == 110)
    }

    @Test func `what there may be at another time is a shortage`() {
        for code in [EMFILE, ENFILE, ENOMEM, ENOBUFS] { #expect(Errno(code).isShortage) }
        for code in [ENOENT, EACCES, EAGAIN, ECONNREFUSED] { #expect(!Errno(code).isShortage) }
    }

    @Test func `it has words, or its number`() {
        #expect(text { Errno.timedOut.write(to: &$0) } == "timed out")
        #expect(text { Errno(ENOENT).write(to: &$0) } == "no such file or directory")
        #expect(text { Errno(95).write(to: &$0) } == "error 95")
    }
}
