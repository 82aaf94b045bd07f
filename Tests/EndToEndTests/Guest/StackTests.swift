import TestProxy
import Testing

extension EndToEnd {
    /// The program's stacks, which may be small, and the library's own.
    @Suite struct StackTests {
        /// The bytes of the caller's stack that a call may take in addition to libc's.
        private static let most = 4096

        @Test func `No call takes more of the caller's stack than libc and a page`() async throws {
            let arguments = [FarSide.ipv4, try await FarSide.echoPort]
            let bare = try await CallProbe.run("stack-use", arguments, library: .absent)
            let output = try await TestProxy.during {
                try await $0.run("stack-use", arguments, environment: ["SOCKSIFY_LOG": "off"], ending: .associated(2))
            }
            #expect(output.lines.count == bare.lines.count)
            for (line, bareLine) in zip(output.lines, bare.lines) {
                let (used, usedBare) = (line.split(separator: " "), bareLine.split(separator: " "))
                try #require(used.count == 3 && usedBare.count == 3 && used[0] == usedBare[0], "\(line) \(bareLine)")
                for turn in 1...2 {
                    let (most, bytes) = (try #require(Int(usedBare[turn])), try #require(Int(used[turn])))
                    #expect(bytes <= most + StackTests.most, "\(line), without the library: \(bareLine)")
                }
            }
        }

        private func live(_ mode: String, _ address: String) async throws -> [String] {
            try await CallProbe.run(
                "stack-life", [mode, address, "1080"], environment: ["SOCKSIFY_PROXY": "socks5://\(address):1080"]
            ).lines
        }

        @Test func `A handler that leaves a call by siglongjmp leaves nothing behind`() async throws {
            let lines = try await live("longjmp", "127.0.61.1")
            #expect(lines == ["left 200 times", "mappings: bounded", "then: 0", "byte received"])
        }

        @Test func `A thread that is cancelled leaves nothing behind, and ends with the program's signals`()
            async throws
        {
            let lines = try await live("cancel", "127.0.61.2")
            #expect(
                lines == [
                    "cleaned up with the program's signals: 200", "mappings: bounded", "then: 0", "byte received",
                ])
        }

        @Test func `A handler beside a call that waits runs on the thread's stack, and may connect`() async throws {
            let lines = try await live("nested", "127.0.61.3")
            #expect(
                lines == ["outer: 0", "byte received", "stack: the thread's", "signals: the program's", "inner: 0"])
        }

        @Test func `Children of every kind go on beside threads that wait`() async throws {
            let lines = try await live("fork", "127.0.61.4")
            #expect(
                lines == [
                    "then: 0", "byte received", "the child's mappings: the same", "fork: 0", "vfork: 0",
                    "posix_spawn: 0", "connected 20 of 20",
                ])
        }

        @Test func `A coroutine of 16 KiB connects`() async throws {
            #expect(try await live("coroutine", "127.0.61.5") == ["in a coroutine: 0"])
        }
    }
}
