import Foundation
import Subprocess
import Testing

/// The result of a program's run.
struct Run: CustomStringConvertible, Sendable {
    /// The exit status, or 128 and the signal's number.
    var status: Int
    var output: String
    var error: String
    /// The number of packets that the program tried to send past the proxy: all but TCP, and datagrams unless they may
    /// go to a relay.
    var strayPackets = 0
    /// The reports of the probes among its processes.
    var reports: [ProbeReport]

    var description: String {
        "status \(status)\n--- output\n\(output)--- error\n\(error)--- stray packets: \(strayPackets)"
    }
}

/// Runs programs in the client's namespace, which reaches only the proxies.
enum Client {
    /// How a program is started.
    enum Mode {
        /// With the library preloaded.
        case preloaded
        /// Without the library: for comparison, and for the command line tool, which preloads the library itself.
        case bare
    }

    /// The program did not end in time.
    struct TimedOut: Error, CustomStringConvertible {
        var description: String
    }

    /// Runs a program to its end.
    ///
    /// - Parameters:
    ///   - proxy: SOCKSIFY_PROXY.
    ///   - configuration: the text of the file that SOCKSIFY_CONF names.
    ///   - strays: the number of packets past the proxy that are allowed; nil: any number.
    ///   - carriesDatagrams: whether datagrams may leave: those to a relay, and those that the library makes a socket
    ///     send to itself. Other datagrams than those to the proxy's machine have no route.
    ///   - ending: how the program must end. For a command that is no probe, the case compares that.
    static func run(
        _ command: [String], proxy: String? = nil, configuration: String? = nil,
        environment: [String: String] = [:], input: String = "", directory: String? = nil, mode: Mode = .preloaded,
        limit: Int = 60, strays: Int? = 0, carriesDatagrams: Bool = false,
        ending: Ending = .command, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Run {
        var variables = environment
        if let proxy { variables["SOCKSIFY_PROXY"] = proxy }
        if let configuration { variables["SOCKSIFY_CONF"] = try Machine.file(configuration, name: "test.conf") }
        if mode == .preloaded { variables["LD_PRELOAD"] = Machine.library }
        let before = try await outgoing(countingDatagrams: !carriesDatagrams)
        var run = try await Client.start(
            inClient(directory) + ["env", "-i"] + base(variables) + command, input: input, limit: limit)
        run.strayPackets = try await outgoing(countingDatagrams: !carriesDatagrams) - before
        ending.check(run, "\(command)", sourceLocation: sourceLocation)
        if let strays, run.strayPackets > strays {
            Issue.record(
                "\(run.strayPackets) packets were sent past the proxy by \(command)\n\(run)",
                sourceLocation: sourceLocation)
        }
        return run
    }

    /// Runs a program on the targets' side, where it reaches the targets without a proxy. Its output there is the
    /// output that it must have through a proxy.
    static func runNatively(_ command: [String], input: String = "", limit: Int = 60) async throws -> Run {
        let directory = try Machine.temporaryDirectory("cwd").path
        return try await start(["env", "-i", "-C", directory] + base([:]) + command, input: input, limit: limit)
    }

    /// Copies a program by a process of its own. While this process writes to a file, a child that another thread
    /// starts has the file open, too, until it runs its program; and a file that is open for writing cannot be run
    /// (execve(2), ETXTBSY).
    static func copyProgram(_ from: String, to target: String) async throws {
        let run = try await start(["cp", "--remove-destination", from, target], limit: 60)
        try #require(run.status == 0, "\(run)")
    }

    /// Runs a command unchanged.
    static func start(_ command: [String], input: String = "", limit: Int) async throws -> Run {
        ProbeReport.prepare()
        // timeout(1) ends the whole process group, and with it every process that holds the pipes.
        let result = try await Subprocess.run(
            .path("/usr/bin/timeout"), arguments: .init(["-s", "KILL", "\(limit)"] + command),
            environment: .custom(["PATH": Machine.path]), input: .string(input), output: .bytes(limit: 16 << 20),
            error: .bytes(limit: 16 << 20))
        let output = String(decoding: result.standardOutput, as: UTF8.self)
        let error = String(decoding: result.standardError, as: UTF8.self)
        let reports = ProbeReport.take(group: Int(result.processIdentifier.value))
        switch result.terminationStatus {
        case .exited(137), .signaled(9):
            throw TimedOut(
                description: "\(command) did not end within \(limit) seconds, or was killed\n\(output)\(error)")
        case .exited(let status):
            return Run(status: Int(status), output: output, error: error, reports: reports)
        case .signaled(let signal):
            return Run(status: 128 + Int(signal), output: output, error: error, reports: reports)
        }
    }

    private static func inClient(_ directory: String?) throws -> [String] {
        guard let client = Machine.clientDirectory else { throw InNamespace.Missing(description: "no namespace") }
        let start = try directory ?? Machine.temporaryDirectory("cwd").path
        return ["nsenter", "--net=\(client)/net", "--mount=\(client)/mnt", "--wd=\(start)"]
    }

    private static func base(_ variables: [String: String]) -> [String] {
        let home = Machine.scratch.appending(path: "home").path
        try? FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        let all = ["PATH": Machine.path, "HOME": home, "LC_ALL": "C.UTF-8"].merging(variables) { $1 }
        return all.map { "\($0)=\($1)" }
    }

    /// Counts the packets that left the client's namespace, or tried to, other than by TCP to a proxy; no other packets
    /// have a route. A datagram to a port of this machine that no socket is bound to did not leave it: the library uses
    /// the error that such a datagram causes to tell a program that its proxy relays no datagrams.
    static func outgoing(countingDatagrams: Bool = true) async throws -> Int {
        let files = ["/proc/net/snmp", "/proc/net/snmp6"]
        let text = try await start(inClient("/") + ["cat"] + files, limit: 10).output
        var (counters, heads): ([String: Int], [Substring: [Substring]]) = ([:], [:])
        for line in text.split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace)
            // snmp has a line of names before each line of numbers; snmp6 has a name and a number in each line.
            if words.count == 2, let number = Int(words[1]) {
                counters[String(words[0])] = number
            } else if let head = words.first, let names = heads[head] {
                for (name, number) in zip(names, words).dropFirst() { counters["\(head)\(name)"] = Int(number) }
            } else if let head = words.first {
                heads[head] = words
            }
        }
        let packets = ["Ip:OutNoRoutes", "Ip6OutNoRoutes"]
        let wanted = countingDatagrams ? packets + ["Udp:OutDatagrams", "Udp6OutDatagrams"] : packets
        let unheard = countingDatagrams ? ["Udp:NoPorts", "Udp6NoPorts"] : []
        func sum(_ names: [String]) throws -> Int {
            try names.reduce(0) { sum, name in sum + (try #require(counters[name], "\(name) in \(text)")) }
        }
        return try sum(wanted) - sum(unheard)
    }
}
