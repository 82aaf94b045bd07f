import Foundation
import Glibc
import Subprocess
import Synchronization

#if canImport(System)
import System
#endif

/// A server program of another project. It is started for tests and ends with them.
final class Daemon: Sendable {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private let task: Task<Void, any Error>

    enum Transport {
        case tcp, udp
    }

    /// Starts a server on the targets' side. Returns when the server accepts connections at `host` and `port`, or has a
    /// UDP socket at the port.
    init(_ command: [String], host: String, port: Int, _ transport: Transport = .tcp) async throws {
        let log = try Machine.temporaryDirectory("log").appending(path: "log").path
        // The shell writes the output to a file, which shows why a server did not start.
        let started = Task {
            var options = PlatformOptions()
            options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(2))]
            _ = try await Subprocess.run(
                .path("/bin/sh"), arguments: .init(["-c", "exec \"$@\" >\(log) 2>&1", "sh"] + command),
                environment: .custom(["PATH": Machine.path, "HOME": Machine.scratch.path, "LC_ALL": "C"]),
                platformOptions: options, input: .none, output: .discarded, error: .discarded)
        }
        task = started
        let ended = Mutex(false)
        Task {
            _ = await started.result
            ended.withLock { $0 = true }
        }
        // The server is ready when it accepts connections or has its UDP socket. The loop only repeats the check.
        let deadline = ContinuousClock.now + .seconds(60)
        while !(transport == .tcp ? Daemon.accepts(host: host, port: port) : Daemon.isBound(port: port)) {
            guard !ended.withLock({ $0 }), ContinuousClock.now < deadline else {
                started.cancel()
                let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
                throw Failure(description: "\(command) is not ready at \(host) \(port)\n\(text)")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    func stop() async {
        task.cancel()
        _ = await task.result
    }

    private static func accepts(host: String, port: Int) -> Bool {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &list) == 0, let list else { return false }
        defer { freeaddrinfo(list) }
        let descriptor = socket(list.pointee.ai_family, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        return connect(descriptor, list.pointee.ai_addr, list.pointee.ai_addrlen) == 0
    }

    /// Whether a UDP socket is bound to the port, at any address.
    private static func isBound(port: Int) -> Bool {
        ["/proc/net/udp", "/proc/net/udp6"].contains { file in
            let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
            return text.split(separator: "\n").dropFirst().contains { line in
                // `sl`, then `local_address`, in hexadecimal digits.
                let words = line.split(separator: " ")
                return words.count > 1 && words[1].hasSuffix(String(format: ":%04X", port))
            }
        }
    }
}
