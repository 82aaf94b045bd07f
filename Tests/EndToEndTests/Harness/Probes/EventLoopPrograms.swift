import Foundation
import Testing

/// A program of Programs/EventLoops. All of them do the same with their arguments, as exchange.h describes.
struct EventLoopProgram: CustomTestStringConvertible, Sendable {
    var name: String
    /// The command that starts the program, given the directory of the compiled programs.
    var command: @Sendable (_ built: String) -> [String]
    var environment: [String: String] = [:]
    /// The message of the program when a connection took longer than its time limit.
    var impatience: String
    var testDescription: String { name }

    static let all: [EventLoopProgram] = [
        .init(name: "node", command: node, environment: ["UV_USE_IO_URING": "0"], impatience: "socket timeout"),
        .init(
            name: "node with io_uring", command: node, environment: ["UV_USE_IO_URING": "1"],
            impatience: "socket timeout"),
        .init(name: "asyncio", command: asyncio, impatience: "TimeoutError"),
        selecting("EpollSelector"),
        selecting("PollSelector"),
        selecting("SelectSelector"),
        .init(name: "java.nio", command: nio, impatience: "nothing is ready"),
        .init(name: "epoll", command: { ["\($0)/epoll"] }, impatience: "epoll_wait: nothing happened"),
        .init(name: "libev", command: { ["\($0)/libev"] }, impatience: "EV_TIMER"),
        .init(name: "libevent", command: { ["\($0)/libevent"] }, impatience: "BEV_EVENT_TIMEOUT"),
        .init(name: "glib", command: { ["\($0)/glib"] }, impatience: "Socket I/O timed out"),
        .init(name: "tokio", command: { ["\($0)/tokio"] }, impatience: "deadline has elapsed"),
    ]

    /// The programs that can measure how long their loop was blocked.
    static let ticking = all.filter { ["node", "node with io_uring", "asyncio", "java.nio"].contains($0.name) }

    @Sendable private static func node(_: String) -> [String] { ["node", "\(sources)/loop.mjs"] }
    @Sendable private static func asyncio(_: String) -> [String] { ["/usr/bin/python3", "\(sources)/asynchronous.py"] }
    @Sendable private static func nio(_ built: String) -> [String] { ["java", "-Xshare:auto", "-cp", built, "Loop"] }
    private static func selecting(_ selector: String) -> EventLoopProgram {
        .init(
            name: "python's \(selector)", command: { _ in ["/usr/bin/python3", "\(sources)/selecting.py"] },
            environment: ["SELECTOR": selector], impatience: "nothing is ready")
    }

    static let sources = Machine.package.appending(path: "Tests/EndToEndTests/Programs/EventLoops").path

    /// Compiles all programs, once in a run of the tests. The compiled crates, which take Rust most of the time, are
    /// kept for the next run.
    private static let built = Task {
        let output = try Machine.temporaryDirectory("event-loops").path
        let kept = Machine.package.appending(path: ".build/event-loops").path
        let script = """
            set -euo pipefail
            sources=$1 output=$2 kept=$3
            compile() { cc -D_GNU_SOURCE -std=gnu17 -Wall -Wextra -Werror -O1 -o "$output/$1" "$sources/$1.c" "${@:2}"; }
            compile epoll
            compile libev -lev
            compile libevent -levent
            read -ra flags <<<"$(pkg-config --cflags --libs gio-2.0)"
            compile glib "${flags[@]}"
            javac -d "$output" "$sources"/*.java
            mkdir -p "$kept"
            # Other processes may run tests at the same time.
            exec {lock}>"$kept/lock"
            flock "$lock"
            cp -r --update "$sources/tokio" "$kept"
            # The libraries of Debian, and no others.
            CARGO_HOME=$kept/cargo cargo build --quiet --offline --manifest-path "$kept/tokio/Cargo.toml" \\
                --target-dir "$kept/target" --config 'source.crates-io.replace-with="debian"' \\
                --config 'source.debian.directory="/usr/share/cargo/registry"' --config profile.dev.debug=0
            cp "$kept/target/debug/exchange" "$output/tokio"
            """
        let run = try await Client.start(["bash", "-c", script, "bash", sources, output, kept], limit: 300)
        try #require(run.status == 0, "\(run)")
        return output
    }

    /// The directory of the compiled programs.
    static var directory: String { get async throws { try await built.value } }

    /// Runs the program under the library.
    func run(
        _ targets: [Target], proxy: String? = nil, configuration: String? = nil,
        environment more: [String: String] = [:], limit: Int = 60, mode: Client.Mode = .preloaded, strays: Int? = 0,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Run {
        try await Client.run(
            arguments(targets), proxy: proxy, configuration: configuration,
            environment: environment.merging(more) { $1 }, mode: mode, limit: limit, strays: strays,
            sourceLocation: sourceLocation)
    }

    /// Runs the program on the targets' side without the library.
    func runNatively(_ targets: [Target], environment more: [String: String] = [:]) async throws -> Run {
        let variables = environment.merging(more) { $1 }.map { "\($0)=\($1)" }
        return try await Client.runNatively(["env"] + variables + arguments(targets))
    }

    private func arguments(_ targets: [Target]) async throws -> [String] {
        command(try await EventLoopProgram.directory) + targets.flatMap { [$0.host, "\($0.port)"] }
    }

    /// The targets.
    struct Target: Sendable {
        var host: String
        var port: Int
    }
}
