import Testing

@testable import TestProxy

@Suite struct OutputShaperTests {
    private func shaped(_ fault: Script.Fault?, splits: Bool = false) -> ([[UInt8]], [OutputShaper.End]) {
        var script = Script()
        script.fault = fault
        if splits { script.byteInterval = .milliseconds(1) }
        var shaper = OutputShaper(script: script)
        let parts = [[5, 0], [5, 0, 0, 1]].map { shaper.shape($0) }
        return (parts.flatMap(\.segments), parts.map(\.end))
    }

    @Test func `Without a fault a message is one segment, or one for each byte`() {
        #expect(shaped(nil).0 == [[5, 0], [5, 0, 0, 1]])
        #expect(shaped(nil, splits: true).0 == [[5], [0], [5], [0], [0], [1]])
    }

    @Test(arguments: 0..<6) func `A fault begins at the byte that the script says`(offset: Int) {
        let sound: [UInt8] = [5, 0, 5, 0, 0, 1]
        #expect(shaped(.init(.close, after: offset)).0.flatMap { $0 } == Array(sound[..<offset]))
        #expect(shaped(.init(.close, after: offset)).1.contains(.close))
        #expect(shaped(.init(.hang, after: offset)).0.flatMap { $0 } == Array(sound[..<offset]))
        let complement = sound.prefix(offset) + sound.dropFirst(offset).map { ~$0 }
        #expect(shaped(.init(.complement, after: offset)).0.flatMap { $0 } == Array(complement))
        let garbage = shaped(.init(.garbage([1, 2, 3]), after: offset)).0.flatMap { $0 }
        #expect(garbage == Array(sound[..<offset]) + [1, 2, 3])
    }

    @Test func `A fault behind the handshake never happens`() {
        #expect(shaped(.init(.close, after: 6)).1 == [.more, .more])
    }
}
