import TestProxy
import Testing

extension EndToEnd {
    /// Programs that put themselves under a filter (seccomp(2)) which allows only their own system calls.
    @Suite struct ConfinedTests {
        @Test(arguments: [[], ["made"], ["threads"], ["made", "threads"]])
        func `No call makes a system call that the program did not make`(before: [String]) async throws {
            let native = try await CallProbe.run("confined", before, library: .absent)
            #expect(native.lines.count == 28 && native.lines.allSatisfy { $0.hasSuffix(": nothing else") }, "\(native)")
            try await TestProxy.during { proxy in
                let output = try await proxy.run("confined", before)
                #expect(output.lines == native.lines, "\(output)")
                #expect(output.errors == "")
            }
        }

        /// The library reports no fault of a configuration before it needs one.
        @Test(arguments: ["dup", "fork", "execve"])
        func `A program without a configuration may confine itself`(call: String) async throws {
            let output = try await CallProbe.run(
                "confined", [call], preparation: CallProbe.withoutConfiguration,
                ending: Ending(report: .absent(because: "its filter forbids to look")))
            #expect(output.lines == ["\(call): nothing else"], "\(output)")
            #expect(output.errors == "")
        }
    }
}
