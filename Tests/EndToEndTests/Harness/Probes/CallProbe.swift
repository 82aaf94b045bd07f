import Subprocess
import TestProxy
import Testing

/// A small C program of `CallProbes`, which prints what it observed, line by line.
struct CallProbe {
    /// The output of a run that ended as it must.
    struct Output {
        var text: String
        var errors: String

        var lines: [String] {
            text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
        }
        var errorLines: [String] { errors.split(separator: "\n").map(String.init) }
    }

    /// Whether the library is loaded into the probe.
    enum Library {
        case preloaded
        case absent
    }

    /// Makes /etc/hosts the only source of names: the client's side reaches no name server.
    static let withoutNameServers =
        "mount -t tmpfs tmpfs /mnt; echo 'hosts: files' >/mnt/names; mount --bind /mnt/names /etc/nsswitch.conf"

    /// Hides every file of /etc that could configure a proxy.
    static let withoutConfiguration =
        "mount -t tmpfs tmpfs /mnt; cp /etc/hosts /etc/services /mnt; mount --bind /mnt /etc"

    /// Runs a probe on the client's side. Its environment has only the variables that are given here.
    ///
    /// - Parameters:
    ///   - preparation: shell commands that run before it, in a copy of the client's mounts.
    ///   - limit: the time limit in seconds.
    ///   - ending: how the probe must end.
    static func run(
        _ name: String, _ arguments: [String] = [], environment: [String: String] = [:],
        library: Library = .preloaded, preparation: String = "", limit: Int = 60, ending: Ending = .clean,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Output {
        let run = try await observe(
            name, arguments, environment: environment, library: library, preparation: preparation, limit: limit)
        ending.check(run, ([name] + arguments).joined(separator: " "), sourceLocation: sourceLocation)
        return Output(text: run.output, errors: run.error)
    }

    /// Runs a probe without checking how it ended.
    static func observe(
        _ name: String, _ arguments: [String] = [], environment: [String: String] = [:],
        library: Library = .preloaded, preparation: String = "", limit: Int = 60
    ) async throws -> Run {
        guard let client = Machine.clientDirectory else { throw Failure("run by scripts/test-in-namespace") }
        var variables = environment
        if library == .preloaded, variables["LD_PRELOAD"] == nil { variables["LD_PRELOAD"] = Machine.library }
        let command =
            ["nsenter", "--net=\(client)/net", "--mount=\(client)/mnt"]
            + (preparation.isEmpty ? [] : ["unshare", "--mount", "sh", "-ec", "\(preparation)\nexec \"$@\"", "sh"])
            + ["env", "-i"] + variables.map { "\($0.key)=\($0.value)" } + [try await path(of: name)] + arguments
        return try await Client.start(command, limit: limit)
    }

    struct Failure: Error, CustomStringConvertible {
        var description: String
        init(_ description: String) { self.description = description }
    }

    static func path(of name: String) async throws -> String { try await "\(folder.value)/\(name)" }

    /// Compiles all probes, and the one of `Probes`, where a binary is older than its sources. Happens once in a run of
    /// the tests.
    private static let folder = Task {
        let sources = Machine.package.appending(path: "Tests/EndToEndTests/CallProbes").path
        let folder = Machine.package.appending(path: ".build/call-probes").path
        let script = """
            set -euo pipefail
            mkdir -p "$2/found"
            # Other processes may run tests at the same time.
            exec {lock}>"$2/lock"
            flock "$lock"
            cd "$1"
            flags=(-D_GNU_SOURCE -std=gnu17 -Wall -Wextra -Werror -O1 -pthread)
            # What each of them is made of: this script, too.
            common=(*.h ../Probes/*.h descriptors.c ../Harness/Probes/CallProbe.swift)
            is_old() {
                local source
                for source in "${common[@]}" "${@:2}"; do [[ $1 -nt $source ]] || return 0; done
                return 1
            }
            library() { ! is_old "$2" "$1.c" || cc "${flags[@]}" -shared -fPIC -o "$2" "$1.c" "${@:3}"; }
            library libearly "$2/libearly.so"
            library liballocator "$2/liballocator.so"
            library libbound "$2/libbound.so"
            library libfound "$2/found/libfound.so"
            library libfinding "$2/libfinding.so" -Wl,--enable-new-dtags,-rpath,'$ORIGIN/found'
            cc "${flags[@]}" -c -o "$2/descriptors.o" descriptors.c
            # The calls that it wants to see.
            mapfile -t wraps < <(nm "$2/descriptors.o" | sed -n 's/^ *U __real_/-Wl,--wrap=/p')
            probes=("$2/descriptors.o" "${wraps[@]}")
            unreached=$2/unreached
            variant() {
                ! is_old "$unreached-$1" unreached.c || cc "${flags[@]}" "${@:2}" -o "$unreached-$1" unreached.c
            }
            variant dynamic
            variant static -static
            variant noted -DWITH_NOTE
            variant built -DWITH_SECTION
            ! is_old "$2/probe" ../Probes/*.c ||
                cc "${flags[@]}" -Wno-unused-parameter -o "$2/probe" ../Probes/*.c "${probes[@]}"
            for source in *.c; do
                [[ $source == lib*.c || $source == descriptors.c || $source == unreached.c ]] && continue
                is_old "$2/${source%.c}" "$source" || continue
                libraries=()
                [[ $source == entries.c ]] && libraries=(-L"$2" -Wl,-rpath,"$2" -learly)
                cc "${flags[@]}" -o "$2/${source%.c}" "$source" "${probes[@]}" "${libraries[@]}"
            done
            """
        let result = try await Subprocess.run(
            .name("bash"), arguments: ["-c", script, "bash", sources, folder], output: .string(limit: 1 << 16),
            error: .string(limit: 1 << 16))
        guard result.terminationStatus.isSuccess else { throw Failure(result.standardError) }
        return folder
    }
}

extension TestProxy {
    /// The proxy's address and port for the client's side.
    var url: String { "socks5://\(host):\(port)" }

    /// Runs `body` with a proxy of its own. `script` gives the script for each connection by its number.
    static func during<Result>(
        host: String = "10.99.0.1", _ script: @escaping @Sendable (Int) -> Script = { _ in Script() },
        _ body: (TestProxy) async throws -> Result
    ) async throws -> Result {
        let proxy = try await start(host: host)
        proxy.follow(script)
        do {
            let result = try await body(proxy)
            await proxy.stop()
            return result
        } catch {
            await proxy.stop()
            throw error
        }
    }

    /// Runs a probe whose environment names this proxy.
    func run(
        _ probe: String, _ arguments: [String], environment: [String: String] = [:], ending: Ending = .clean,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> CallProbe.Output {
        try await CallProbe.run(
            probe, arguments, environment: environment.merging(["SOCKSIFY_PROXY": url]) { given, _ in given },
            ending: ending, sourceLocation: sourceLocation)
    }
}
