import ProxyConfig
import SeededGenerator
import Testing

private func configuration(_ text: String, for program: ProgramIdentity?) -> Configuration {
    let parsed = Configuration.parse(text, program: program)
    #expect(parsed.errors.isEmpty)
    return parsed.configuration
}

private func program(_ path: String, script: String? = nil) -> ProgramIdentity {
    ProgramIdentity(executable: Array(path.utf8), script: script.map { Array($0.utf8) })
}

@Suite struct AppSectionTests {
    private let text = """
        udp block
        loopback direct
        localnet 10.0.0.0/8
        [App curl wget]
        udp associate
        localnet 172.16.0.0/12
        block port 25
        random_chain
        [Rules]
        direct port 22
        [App /usr/bin/*]
        udp direct
        loopback proxy
        block port 23
        [ProxyList]
        socks5 ::1 1
        """

    /// A section for another program has no effect.
    @Test func otherPrograms() {
        let plain =
            "udp block\nloopback direct\nlocalnet 10.0.0.0/8\n[Rules]\ndirect port 22\n[ProxyList]\nsocks5 ::1 1"
        for other in [nil, program("/opt/firefox"), program("curl2"), program("/usr/local/bin/CURL")] {
            #expect(configuration(text, for: other) == Configuration.parse(plain).configuration)
        }
    }

    /// Sections precede the globals, the last one the others, and their rules precede those of `[Rules]`, in the order
    /// of the file.
    @Test func thisProgram() {
        let curl = configuration(text, for: program("/opt/curl"))
        #expect(curl.udp == .associate)
        #expect(curl.loopback == .direct)
        #expect(curl.localNetworks.count == 2)
        #expect(curl.chainMode == .random)
        #expect(curl.rules.map { $0.criteria.ports.first?.lowerBound } == [25, 22])

        let wget = configuration(text, for: program("/usr/bin/wget"))
        #expect(wget.udp == .direct)
        #expect(wget.loopback == .proxy)
        #expect(wget.rules.map { $0.criteria.ports.first?.lowerBound } == [25, 23, 22])

        let parsed = Configuration.parse(text, program: program("/usr/bin/wget"))
        #expect((0..<3).map { parsed.position(of: .rule($0))?.line } == [7, 14, 10])
        #expect(parsed.position(of: .udpPolicy)?.line == 12)
        #expect(Configuration.parse(text).position(of: .udpPolicy)?.line == 1)
        #expect(Configuration.parse(text).position(of: .localNetwork(1)) == nil)
    }

    /// Mistakes are found in the sections of all programs.
    @Test func mistakes() {
        let text = "[App a]\nudp on\nallow\nproxy nowhere\nsocks5 ::1 1\n[App]\n[App  ]"
        let patterns = "expected names or paths of programs, as in '[App curl /opt/tool/*]'"
        let expected = [
            "line 2, column 5: 'on' does not fit here; expected associate, block or direct",
            "line 3, column 1: 'allow' is not a keyword",
            "line 4, column 7: there is no [Proxies nowhere] in this file",
            "line 5, column 1: 'socks5' is not a keyword", "line 6, column 5: \(patterns)",
            "line 7, column 5: \(patterns)",
        ]
        #expect(errors(text) == expected)
        #expect(Configuration.parse(text, program: program("a")).errors.map(\.description) == expected)
    }

    @Test func tellsWhetherProgramsMatter() {
        #expect(Configuration.parse("[App a]").namesPrograms)
        #expect(Configuration.parse("[App a]", program: program("a")).namesPrograms)
        #expect(!Configuration.parse("[Rules]\ndirect").namesPrograms)
        for (text, expected) in [
            ("[App a]", true), ("[Rules]\n [App b", true), ("[Ap", false), ("[", false), ("", false),
        ] {
            #expect(Configuration.mayNamePrograms(Array(text.utf8).span) == expected)
        }
    }

    @Test(
        arguments: [
            ("curl", "/usr/bin/curl", nil, true), ("curl", "curl", nil, true), ("cur", "/usr/bin/curl", nil, false),
            ("cur*", "/usr/bin/curl", nil, true), ("c?rl", "/usr/bin/curl", nil, true),
            ("Curl", "/usr/bin/curl", nil, false),
            ("bin", "/usr/bin/curl", nil, false), ("/usr/bin/curl", "/usr/bin/curl", nil, true),
            ("/usr/*", "/usr/bin/curl", nil, true), ("*/curl", "/usr/bin/curl", nil, true),
            ("bin/curl", "/usr/bin/curl", nil, false), ("/usr/bin/curl", "curl", nil, false),
            ("tool", "/usr/bin/python3", "/opt/tool", true), ("/opt/*", "/usr/bin/python3", "/opt/tool", true),
            ("python3", "/usr/bin/python3", "/opt/tool", true),
            ("http.server", "/usr/bin/python3", "http.server", true),
            ("other", "/usr/bin/python3", "/opt/tool", false), ("*", "", nil, true), ("?", "", nil, false),
        ] as [(String, String, String?, Bool)])
    func patterns(pattern: String, path: String, script: String?, matches: Bool) {
        let configuration = configuration("[App nothing \(pattern)]\nudp block", for: program(path, script: script))
        #expect((configuration.udp == .block) == matches)
    }
}

@Suite struct ProgramIdentityTests {
    @Test(
        arguments: [
            // Options, with values and without.
            ("python3", "tool.py arg", "tool.py"),
            ("python3.11", "-I -W error -X dev /opt/tool.py -c x", "/opt/tool.py"),
            ("python", "-Werror -Xdev tool", "tool"), ("python3-dbg", "-- -tool", "-tool"),
            ("python3", "--check-hash-based-pycs never tool", "tool"), ("python3", "-c code tool", nil),
            ("python3", "-Ic code", nil), ("python3", "-m http.server 80", "http.server"),
            ("python3", "-mhttp.server", "http.server"), ("python3", "-uIm http.server", "http.server"),
            ("python3", "- tool", nil), ("python3", "", nil), ("python3", "-i", nil), ("python3", "-W", nil),
            ("perl", "-w -I lib -Ilib2 -MStrict tool.pl", "tool.pl"), ("perl5.36", "-ne code tool", nil),
            ("perl", "-pi.bak -e code", nil), ("perl", "-pi.e tool", "tool"), ("perl", "-d:Trace tool", "tool"),
            ("perl", "-E code", nil), ("ruby", "-r json -I lib tool.rb", "tool.rb"),
            ("ruby3.1", "-rjson -W2 tool", "tool"),
            ("ruby", "-ne code", nil), ("ruby", "--enable jit tool", "tool"), ("ruby", "--enable=jit tool", "tool"),
            ("node", "--require x -r y --inspect app.js", "app.js"), ("nodejs", "-e code app.js", nil),
            ("node", "--import=x app.js", "app.js"), ("node", "-pe code", nil), ("node", "-c app.js", "app.js"),
            ("php", "-d a=b -c /etc tool.php", "tool.php"), ("php8.2", "-f tool.php x", "tool.php"),
            ("php", "-da=b --file tool.php", "tool.php"), ("php", "-r code", nil),
            ("php", "-S ::1:80 router", "router"),
            ("lua5.4", "-l mod -e code tool.lua", "tool.lua"), ("luajit", "-e code", nil),
            ("bash", "-e tool.sh", "tool.sh"), ("bash", "-euo pipefail tool.sh", "tool.sh"), ("sh", "-c code x", nil),
            ("bash", "-lc code", nil), ("bash", "+x -O extglob --rcfile f tool", "tool"), ("dash", "-s tool", nil),
            ("bash", "+o posix tool", "tool"), ("zsh-5.9", "tool", "tool"), ("ksh93", "tool", "tool"),
            ("sh", "- tool", "tool"), ("Rscript", "--vanilla tool.R", "tool.R"), ("Rscript", "-e code", nil),
            ("tclsh8.6", "-encoding utf-8 tool.tcl", "tool.tcl"),
            ("java", "-cp a:b -Dx=y -Xmx1g org.Main x", "org.Main"),
            ("java", "-Dx=y -jar /opt/app.jar -cp z", "/opt/app.jar"),
            ("java", "--module-path p -m mod/org.Main", "mod/org.Main"),
            ("java", "@options org.Main", "org.Main"), ("java", "-version", nil),
            // No interpreters.
            ("env", "python3 tool.py", nil), ("curl", "url", nil), ("shred", "file", nil), ("nodemon", "app.js", nil),
            ("javac", "Main.java", nil), ("bashful", "x", nil), ("", "x", nil),
        ] as [(String, String, String?)])
    func scripts(name: String, arguments: String, script: String?) {
        let words = [name] + arguments.split(separator: " ").map(String.init)
        for folder in ["/usr/bin/", ""] {
            let program = ProgramIdentity(
                executable: Array((folder + name).utf8), arguments: words.map { Array($0.utf8) })
            #expect(program.script.map { String(decoding: $0, as: UTF8.self) } == script)
            #expect(program.executable == Array((folder + name).utf8))
        }
    }

    /// A file may also be called through a link.
    @Test(arguments: [
        ("python3", true), ("python3.11", true), ("/usr/bin/python3", true), ("/opt/python", true), ("python", true),
        ("tool.py", true), ("python2", false), ("/usr/bin/python", false),
    ])
    func aliases(pattern: String, matches: Bool) {
        let program = ProgramIdentity(
            executable: Array("/usr/bin/python3.11".utf8),
            arguments: [Array("/usr/bin/python3".utf8), Array("tool.py".utf8)],
            executedBy: Array("/opt/python".utf8))
        #expect((configuration("[App \(pattern)]\nudp block", for: program).udp == .block) == matches)
    }

    @Test func loginShells() {
        let program = ProgramIdentity(executable: Array("/bin/dash".utf8), arguments: [Array("-sh".utf8)])
        #expect(configuration("[App sh]\nudp block", for: program).udp == .block)
        #expect(ProgramIdentity(executable: [], arguments: [[]]).aliases == [[]])
        #expect(ProgramIdentity(executable: [], arguments: [Array("-".utf8)]).aliases == [Array("-".utf8)])
    }

    /// No arguments make the code trap.
    @Test func hostileArguments() {
        var generator = SplitMix(state: 7)
        let names = ["python", "perl", "ruby", "node", "php", "lua", "sh", "Rscript", "tclsh", "java"]
        let words = [
            "", "-", "--", "-c", "-m", "-e", "-o", "+", "-jar", "@", " ", "-r json", "a", "--file", "-I", "-W",
        ]
        for _ in 0..<5_000 {
            let arguments = (0..<(generator.next() % 6)).map { _ in Array(words[Int(generator.next() % 16)].utf8) }
            _ = ProgramIdentity(executable: Array(names[Int(generator.next() % 10)].utf8), arguments: arguments)
        }
    }
}
