import Foundation
import Testing

@testable import SocksifyCore

@Suite struct CStringTests {
    @Test func `the bytes of a C string end before its zero`() {
        #expect(Array(bytes(of: cString("a\u{0}b"))) == [0x61])
        #expect(Array(bytes(of: cString(""))) == [])
    }

    @Test func `bytes become a C string for the time of a call`() {
        #expect(withCString([0x61, 0xff]) { Array(bytes(of: $0)) } == [0x61, 0xff])
        #expect(withCString([]) { Array(bytes(of: $0)) } == [])
    }

    @Test func `so does a name, the longest too`() {
        #expect(withCString(hostName("a.example")) { Array(bytes(of: $0)) } == Array("a.example".utf8))
        let longest = String(repeating: "a", count: 255)
        #expect(withCString(hostName(longest)) { bytes(of: $0).count } == 255)
    }
}
