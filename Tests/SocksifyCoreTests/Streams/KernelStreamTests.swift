import Foundation
import Testing
import Tunnel

@testable import SocksifyCore

@Suite struct KernelStreamTests {
    private let pair = StreamPair()
    private var stream: KernelStream { KernelStream(socket: pair.near) }

    private func received(_ most: Int) throws -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: most)
        return try bytes.withUnsafeMutableBytes { try stream.receive(into: $0) }.map { Array(bytes.prefix($0)) }
    }

    private func send(_ bytes: [UInt8]) throws {
        try #require(try bytes.withUnsafeBytes { try pair.far.send($0) } == bytes.count)
    }

    @Test func `what would have to wait is no bytes`() throws {
        #expect(try received(4) == nil)
        var byte: UInt8 = 0
        #expect(try withUnsafeMutableBytes(of: &byte) { try stream.peek(into: $0) } == nil)
    }

    @Test func `what is there is received in parts, no more than there is room for`() throws {
        try send([1, 2, 3, 4, 5])
        #expect(try received(2) == [1, 2])
        var byte: UInt8 = 0
        #expect(try withUnsafeMutableBytes(of: &byte) { try stream.peek(into: $0) } == 1)
        #expect(byte == 3)
        #expect(try received(8) == [3, 4, 5])
        #expect(try received(8) == nil)
    }

    @Test func `the end of the stream is a count of 0`() throws {
        try send([1])
        pair.far.shutDown()
        #expect(try received(8) == [1])
        #expect(try received(8) == [])
    }

    @Test func `as much is sent as there is room for, and then nothing`() throws {
        let bytes = [UInt8](repeating: 7, count: 1 << 16)
        var sent = 0
        while let count = try bytes.withUnsafeBytes({ try stream.send($0) }) {
            try #require(count > 0)
            sent += count
        }
        #expect(pair.far.unreadCount == sent)
    }

    @Test func `a connection that has ended fails with the kernel's error, and with no signal`() {
        pair.far.shutDown()
        let error = #expect(throws: StreamFailure.self) { try [UInt8(1)].withUnsafeBytes { try stream.send($0) } }
        guard case .kernel(.brokenPipe)? = error else { return #expect(Bool(false), "\(String(describing: error))") }
    }
}
