import Foundation
import TestProxy
import Testing

extension EndToEnd {
    /// The table that the processes of a tree share.
    @Suite struct SharedTableTests {
        init() async throws {
            try await Targets.shared.http()
            _ = try await FarSide.echo.value
        }

        /// How a process tree starts.
        enum Beginning: String, CaseIterable {
            case wrapper, preloaded
        }

        /// Runs a bash script as a process tree of its own, whose table is in `folder`.
        private func run(
            _ script: String, _ arguments: [String] = [], folder: String, proxy url: String,
            by beginning: Beginning = .preloaded
        ) async throws -> Run {
            let shell = ["bash", "-c", script, "bash"] + arguments
            let environment = ["XDG_RUNTIME_DIR": folder]
            // A script with arguments runs a probe.
            let ending = arguments.isEmpty ? Ending.command : .clean
            switch beginning {
            case .wrapper:
                return try await Client.run(
                    [Machine.tool, "-x", url] + shell, environment: environment, mode: .bare, ending: ending)
            case .preloaded:
                return try await Client.run(shell, proxy: url, environment: environment, ending: ending)
            }
        }

        private func folder() throws -> String { try Machine.temporaryDirectory("table").path }

        /// Runs a script without the library in a mount namespace of its own, where /mnt is an empty tmpfs. A command
        /// after `$preload` runs under the library.
        private func runInMounts(
            _ script: String, _ arguments: [String] = [], proxy url: String = "socks5://10.99.0.1:1"
        ) async throws -> Run {
            let head = """
                set -e
                mount -t tmpfs -o size=256k tmpfs /mnt
                export XDG_RUNTIME_DIR=/mnt
                preload='env LD_PRELOAD=\(Machine.library)'

                """
            return try await Client.run(
                ["unshare", "--mount", "bash", "-c", head + script, "bash"] + arguments, proxy: url, mode: .bare,
                ending: arguments.isEmpty ? .command : .clean)
        }

        private static let lookUpAndFetch = """
            address=$(getent hosts web.test | cut -d' ' -f1)
            curl -sS "http://$address:\(Targets.httpPort)/shared"
            """

        // MARK: Names

        @Test(arguments: Beginning.allCases)
        func `An address that one process has got for a name another can connect to`(
            beginning: Beginning
        ) async throws {
            try await withProxy { proxy, url in
                let run = try await run(Self.lookUpAndFetch, folder: folder(), proxy: url, by: beginning)
                #expect(run.status == 0 && run.output.hasPrefix("GET /shared"), "\(run)")
                #expect(proxy.requests == ["CONNECT web.test:\(Targets.httpPort)"])
            }
        }

        @Test(arguments: Beginning.allCases)
        func `A child with an emptied environment shares the names, too`(beginning: Beginning) async throws {
            let script = Self.lookUpAndFetch.replacing("getent", with: "env -i /usr/bin/getent")
                .replacing("curl", with: "env -i /usr/bin/curl")
            try await withProxy { proxy, url in
                let run = try await run(script, folder: folder(), proxy: url, by: beginning)
                #expect(run.status == 0 && run.output.hasPrefix("GET /shared"), "\(run)")
                #expect(proxy.requests == ["CONNECT web.test:\(Targets.httpPort)"])
            }
        }

        @Test func `Two trees share nothing`() async throws {
            try await withProxy { proxy, url in
                let folder = try folder()
                let first = try await run("getent ahostsv4 web.test", folder: folder, proxy: url)
                let address = try #require(first.output.split(separator: " ").first)
                #expect(address.hasPrefix("198.18.") || address.hasPrefix("198.19."), "\(first)")
                // One tree that knows another name, and one that knows none.
                for before in ["getent ahostsv4 other.test >/dev/null", "true"] {
                    let second = try await run(
                        "\(before); curl -gsS http://\(address):\(Targets.httpPort)/", folder: folder, proxy: url)
                    #expect(second.status == 7, "\(second)")
                }
                #expect(proxy.requests.isEmpty)
            }
        }

        @Test func `Many processes at once give out addresses that keep their meaning`() async throws {
            // Two processes look up each name.
            let script = """
                look_up() { getent ahostsv4 "n$1.test" | awk 'NR == 1 { print $1 }' >"$0.$2.$1"; }
                for n in {1..50}; do look_up $n a & look_up $n b & done
                wait
                for n in {1..50}; do
                    for file in "$0".{a,b}.$n; do getent hosts "$(<"$file")" | awk '{ print $2 }'; done
                done
                """
            try await withProxy { _, url in
                let folder = try folder()
                let run = try await Client.run(
                    ["bash", "-c", script, folder + "/address"], proxy: url, environment: ["XDG_RUNTIME_DIR": folder])
                let expected = (1...50).map { "n\($0).test\nn\($0).test\n" }.joined()
                #expect(run.output == expected && run.error.isEmpty, "\(run)")
            }
        }

        @Test func `Processes that are killed in the middle leave the others working`() async throws {
            try await withProxy { _, url in
                let run = try await run(
                    "exec \"$1\"", [CallProbe.path(of: "shared-killed")], folder: folder(), proxy: url)
                #expect(run.output == "0 wrong\n", "\(run)")
            }
        }

        // MARK: Sockets

        @Test(arguments: ["exec", "pass"])
        func `A connection keeps its apparent peer in a process that has connected nothing`(way: String) async throws {
            let port = try await FarSide.echoPort
            try await withProxy { proxy, url in
                let run = try await run(
                    "exec \"$@\"", [CallProbe.path(of: "shared-peer"), way, FarSide.ipv4, port], folder: folder(),
                    proxy: url)
                let peer = "\(FarSide.ipv4) \(port)"
                #expect(run.output == "peer: \(peer)\nduplicate: \(peer)\nechoed\n", "\(run)")
                #expect(proxy.requests == ["CONNECT \(FarSide.ipv4):\(port)"])
            }
        }

        // MARK: The file

        @Test func `A tree that stays off the network makes no file`() async throws {
            let folder = try folder()
            let run = try await run(
                "(true); /bin/true; ls \"$XDG_RUNTIME_DIR\"", folder: folder, proxy: "socks5://10.99.0.1:1")
            #expect(run.status == 0 && run.output.isEmpty, "\(run)")
        }

        @Test(arguments: Beginning.allCases)
        func `There is one file, for its user alone, and none stays open`(beginning: Beginning) async throws {
            let script = """
                "$1" web.test
                "$1" other.test
                stat -c '%a %n' "$XDG_RUNTIME_DIR"/* | sed "s|$XDG_RUNTIME_DIR/socksify-$$-[0-9a-f]\\{16\\}$|file|"
                """
            let run = try await run(
                script, [CallProbe.path(of: "shared-names")], folder: folder(), proxy: "socks5://10.99.0.1:1",
                by: beginning)
            #expect(
                run.output == """
                    web.test: web.test
                    descriptors +0
                    other.test: other.test
                    descriptors +0
                    600 file

                    """, "\(run)")
        }

        @Test(arguments: [
            "ln -s /mnt/other \"$file\"", "ln /mnt/other \"$file\"", "mkfifo -m 600 \"$file\"", "mkdir \"$file\"",
            "cp /mnt/other \"$file\"; chmod 604 \"$file\"", "printf another >\"$file\"; chmod 600 \"$file\"",
        ])
        func `A file that is none of the library's is left alone`(making: String) async throws {
            let script = """
                file=/mnt/socksify-1-0123456789abcdef
                install -m 600 /dev/null /mnt/other
                \(making)
                before=$(stat -c '%f %s %Y' "$file" /mnt/other)
                $preload SOCKSIFY_TABLE=$file "$1" web.test
                [[ $(stat -c '%f %s %Y' "$file" /mnt/other) == "$before" ]] && echo unchanged
                """
            let run = try await runInMounts(script, [CallProbe.path(of: "shared-names")])
            #expect(run.output == "web.test: web.test\ndescriptors +0\nunchanged\n", "\(run)")
        }

        @Test func `A file of another layout is left alone`() async throws {
            let script = """
                $preload SOCKSIFY_TABLE=/mnt/socksify-1-0123456789abcdef "$1" web.test
                printf other | dd of=/mnt/socksify-1-0123456789abcdef conv=notrunc status=none
                before=$(md5sum /mnt/*)
                $preload SOCKSIFY_TABLE=/mnt/socksify-1-0123456789abcdef "$1" other.test
                [[ $(md5sum /mnt/*) == "$before" ]] && echo unchanged
                """
            let run = try await runInMounts(script, [CallProbe.path(of: "shared-names")])
            #expect(
                run.output == "web.test: web.test\ndescriptors +0\nother.test: other.test\ndescriptors +0\nunchanged\n",
                "\(run)")
        }

        @Test(arguments: [
            "head -c 1M /dev/zero >/mnt/filling || true", "mount -o remount,ro /mnt", "umask 777; rmdir /mnt/x",
        ])
        func `Where there is no room for a file, programs work by themselves`(making: String) async throws {
            try await withProxy { proxy, url in
                let script = """
                    mkdir /mnt/x
                    {
                        \(making)
                    } 2>/dev/null
                    $preload SOCKSIFY_TABLE=/mnt/socksify-1-0123456789abcdef \
                        curl -gsS http://web.test:\(Targets.httpPort)/alone
                    """
                let run = try await runInMounts(script, proxy: url)
                #expect(run.status == 0 && run.output.hasPrefix("GET /alone"), "\(run)")
                #expect(proxy.requests == ["CONNECT web.test:\(Targets.httpPort)"])
            }
        }

        @Test func `Where the process may not write long files, it is not ended for it`() async throws {
            let script = "ulimit -f 100; $preload \"$1\" web.test; ls /mnt | wc -l"
            let run = try await runInMounts(script, [CallProbe.path(of: "shared-names")])
            #expect(run.status == 0 && run.output.hasPrefix("web.test: web.test\ndescriptors +0\n"), "\(run)")
        }

        @Test func `When the room is filled later, new names wait for it, and the old ones are found`() async throws {
            let script = """
                export SOCKSIFY_TABLE=/mnt/socksify-$$-0123456789abcdef
                $preload "$1" web.test
                head -c 1M /dev/zero >/mnt/filling 2>/dev/null || true
                $preload "$1" web.test n{1..100} | sort -t: -k2 | cut -d: -f2 | uniq -c | sort -n | tail -1
                $preload "$1" web.test
                rm /mnt/filling
                $preload "$1" n100
                """
            let run = try await runInMounts(script, [CallProbe.path(of: "shared-names")])
            let lines = run.output.split(separator: "\n").map(String.init)
            #expect(run.status == 0 && lines.count == 7, "\(run)")
            #expect(lines.first == "web.test: web.test" && lines[2].hasSuffix(" EAI_AGAIN"), "\(run)")
            #expect(Array(lines[3...]) == ["web.test: web.test", "descriptors +0", "n100: n100", "descriptors +0"])
        }

        @Test func `Files of trees that have ended are swept, and no others`() async throws {
            let script = """
                gone=$(bash -c 'echo $$')
                mapped=/mnt/socksify-$gone-ffffffffffffffff
                coproc { $preload SOCKSIFY_TABLE=$mapped "$1" -w web.test; }
                read -r -u ${COPROC[0]}
                read -r -u ${COPROC[0]}
                old() { install -m 600 /dev/null "/mnt/$1"; touch -d '11 minutes ago' "/mnt/$1"; }
                old socksify-$gone-0000000000000001
                old socksify-$gone-0000000000000002; touch -d '9 minutes ago' /mnt/socksify-$gone-0000000000000002
                old socksify-$$-0000000000000003
                old socksify-$gone-0000000000000004; chmod 644 /mnt/socksify-$gone-0000000000000004
                old socksify-$gone-5
                old other-$gone-0000000000000006
                touch -c -d '11 minutes ago' $mapped
                $preload SOCKSIFY_TABLE=/mnt/socksify-$$-0000000000000000 "$1" web.test >/dev/null
                ls /mnt | sed "s/$gone/gone/; s/$$/root/"
                """
            let run = try await runInMounts(script, [CallProbe.path(of: "shared-names")])
            let files = Set(run.output.split(separator: "\n").map(String.init))
            #expect(
                files == [
                    "other-gone-0000000000000006", "socksify-gone-0000000000000002", "socksify-gone-0000000000000004",
                    "socksify-gone-5", "socksify-gone-ffffffffffffffff", "socksify-root-0000000000000000",
                    "socksify-root-0000000000000003",
                ], "\(run)")
        }

        /// A signal kills the last process, which then removes nothing.
        @Test func `Commands that are run one after the other leave no file, and one that is killed leaves one`()
            async throws
        {
            let script = """
                exec 2>/dev/null
                for n in {1..5}; do $preload "$1" web.test >/dev/null; done
                ls /mnt | wc -l
                killed() {
                    coproc { exec $preload "$@"; }
                    read -r -u ${COPROC[0]}
                    read -r -u ${COPROC[0]}
                    kill -KILL $COPROC_PID
                    wait $COPROC_PID || true
                }
                for n in {1..5}; do killed "$1" -w web.test; done
                ls /mnt | wc -l
                """
            let run = try await runInMounts(script, [CallProbe.path(of: "shared-names")])
            #expect(run.output == "0\n1\n", "\(run)")
        }

        /// The program ends by _exit(2), which runs no atexit(3) functions and no destructors.
        @Test func `A table is removed by a program that ends at once`() async throws {
            let script = """
                $preload /usr/bin/python3 -c 'import os, socket; socket.gethostbyname("web.test"); os._exit(0)'
                ls /mnt | wc -l
                """
            let run = try await runInMounts(script)
            #expect(run.output == "0\n", "\(run)")
        }

        /// The shell makes a connection itself, and then runs `start`.
        @Test(arguments: [":", "(:)", "/bin/true; :", "exec /bin/true", "exec 3</dev/tcp/web.test/80", "kill -TERM $$"])
        func `A table is removed with the end of its root, or waited for if it was handed on`(
            start: String
        ) async throws {
            let isKilled = start.hasPrefix("kill")
            let script = """
                exec 2>/dev/null
                $preload bash -c ': 2>/dev/null </dev/tcp/web.test/80; (:); \(start)' || true
                $preload "$1" other.test >/dev/null
                ls /mnt | wc -l
                """
            let run = try await runInMounts(script, [CallProbe.path(of: "shared-names")])
            #expect(run.output == (isKilled ? "1\n" : "0\n"), "\(run)")
        }

        @Test func `A table is kept by those that have it when its root is gone, and removed by the last of them`()
            async throws
        {
            let script = """
                mkfifo /mnt/go
                $preload bash -c ': 2>/dev/null </dev/tcp/web.test/80; { read -r </mnt/go; } & :'
                ls /mnt | grep -c socksify
                echo >/mnt/go
                while ls /mnt | grep -q socksify; do :; done
                """
            let run = try await runInMounts(script)
            #expect(run.output == "1\n", "\(run)")
        }

        @Test func `Without a runtime folder a user has one in that of all, which is gone with its last file`()
            async throws
        {
            let script = """
                mount -t tmpfs -o mode=1777 tmpfs /dev/shm
                unset XDG_RUNTIME_DIR
                list() { (cd /dev/shm; stat -c '%A %F' * */* 2>/dev/null | sort); echo; }
                $preload bash -c ': 2>/dev/null </dev/tcp/web.test/80; ls -ld /dev/shm/*; ls -l /dev/shm/*' |
                    awk 'NF > 7 { print $1, $NF }' | sed 's|/dev/shm/socksify-0|folder|; s|socksify-.*|file|'
                ls /dev/shm
                # Another's, or one that others may write to, is left alone.
                mkdir -m 777 /dev/shm/socksify-0
                touch -d '11 minutes ago' /dev/shm/socksify-1-0000000000000001
                $preload bash -c ': 2>/dev/null </dev/tcp/web.test/80; ls /dev/shm /dev/shm/socksify-0' |
                    sed 's/^socksify-[0-9]*-.*/file/'
                ls /dev/shm
                """
            let run = try await runInMounts(script)
            #expect(
                run.output == """
                    drwx------ folder
                    -rw------- file
                    /dev/shm:
                    socksify-0
                    file
                    file

                    /dev/shm/socksify-0:
                    socksify-0
                    socksify-1-0000000000000001

                    """, "\(run)")
        }

        // MARK: Damage by other processes

        @Test func `Whatever a word of the table becomes, nobody is ended, and nobody waits without end`() async throws
        {
            try await Targets.shared.echo()
            let port = String(Targets.echoPort)
            try await withProxy { proxy, url in
                let run = try await ClosedPort.during(host: Machine.proxyIPv4) { closed in
                    try await Client.run(
                        [CallProbe.path(of: "damaged-table")] + EchoTargets.far(.ipv4) + ["web.test", port],
                        configuration: configuration(
                            "log off", "failover_chain", "chain_len = 1",
                            urls: ["socks5://\(Machine.proxyIPv4):\(closed)", url]),
                        limit: 300, carriesDatagrams: true, ending: .associated(1))
                }
                #expect(run.output == "0 ended by a signal, 0 without end\n", "\(run)")
                let connections = proxy.requests.filter { $0.hasPrefix("CONNECT") }
                #expect(connections.count > 100 && Set(connections) == ["CONNECT web.test:\(port)"])
            }
        }

        /// A datagram to any destination but the relay would be direct.
        @Test func `Whatever bit of an association's record another has changed, no datagram goes elsewhere`()
            async throws
        {
            try await withProxy { proxy, url in
                let run = try await Client.run(
                    [CallProbe.path(of: "damaged-association")] + EchoTargets.far(.ipv4),
                    configuration: configuration("log off", urls: [url]), carriesDatagrams: true,
                    ending: .associated(1))
                #expect(run.output == "0 ended by a signal, 0 without end\n", "\(run)")
            }
        }

        @Test func `An address keeps its name among as many as there can be, and one more has none`() async throws {
            let run = try await Client.run(
                [CallProbe.path(of: "names-many"), "first.test", "131069"], proxy: "socks5://10.99.0.1:1",
                environment: ["XDG_RUNTIME_DIR": folder()], limit: 300, ending: .command)
            #expect(run.output == "131070 names\none more: EAI_AGAIN\nthe first: first.test\n", "\(run)")
            #expect(
                run.error == """
                    socksify: more.test: no reserved address is free for this name: all were used in the last ten minutes

                    """)
        }
    }
}
