import Addressing
import ProxyConfig
import Testing

@Suite struct ConfigurationAssemblyTests {
    /// A machine's sources of configuration: files by path, and variables by name.
    private struct Machine {
        var files: [String: Result<FileText, FileFailure>] = [:]
        var variables: [String: String] = [:]

        init(_ files: [String: String] = [:], _ variables: [String: String] = [:]) {
            self.files = files.mapValues { .success(FileText(Array($0.utf8), isReadableByOthers: false)) }
            self.variables = variables
        }

        func read(_ path: [UInt8]) -> Result<FileText, FileFailure> {
            files[String(decoding: path, as: UTF8.self)] ?? .failure(.absent(errno: 2))
        }

        func assemble(
            x proxies: [String] = [], f file: String? = nil, direct: [String] = [],
            unreachable: UnreachablePolicy? = nil, program: ProgramIdentity? = nil
        ) -> ConfigurationAssembly {
            let environment = ConfigurationSearch.Environment { variables["\($0)"].map { Array($0.utf8) } }
            let options = ConfigurationOptions(
                proxies: proxies.map { Array($0.utf8) }, file: file.map { Array($0.utf8) },
                direct: direct.map { Array($0.utf8) }, unreachable: unreachable)
            return ConfigurationAssembly(environment, options, program: { program }, read: read)
        }

        func assembleWithPasswords(x proxies: [String] = []) -> ConfigurationAssembly {
            var assembly = assemble(x: proxies)
            assembly.readPasswords(read: read) { name in
                variables[String(decoding: name, as: UTF8.self)].map { Array($0.utf8) }
            }
            return assembly
        }
    }

    /// The last byte of the address of each proxy of the default chain.
    private func chain(_ assembly: ConfigurationAssembly) -> [Int] {
        let configuration = assembly.parsed.configuration
        return configuration.lists[0].hops.map { hop in
            guard case .proxy(let place) = hop,
                case .network(let endpoint) = configuration.proxies[place].location,
                case .address(.v4(let address)) = endpoint.host
            else { return -1 }
            return Int(address.value & 0xff)
        }
    }

    private func path(_ assembly: ConfigurationAssembly) -> String? {
        assembly.file.map { String(decoding: $0.path, as: UTF8.self) }
    }

    private func file(_ number: Int, _ globals: String = "", _ words: String = "", rules: String = "") -> String {
        "\(globals)\n[ProxyList]\nsocks5 10.0.0.\(number) 1080 \(words)\n[Rules]\n\(rules)\n"
    }

    private func inText(_ kind: ConfigurationError.Kind, _ line: Int, _ column: Int, _ source: ConfigurationSource)
        -> ConfigurationMistake
    {
        .inText(ConfigurationError(at: SourcePosition(line: line, column: column), kind), source)
    }

    // MARK: Which chain, and which file

    private var everything: Machine {
        Machine(
            [
                "/f": file(2), "/named": file(3), "/xdg/socksify/socksify.conf": file(4),
                "/home/.config/socksify/socksify.conf": file(5), "/etc/socksify.conf": file(6),
                "/chains": file(7), "/home/.proxychains/proxychains.conf": file(8), "/etc/proxychains.conf": file(9),
            ],
            [
                "SOCKSIFY_PROXY": "10.0.0.1", "SOCKSIFY_CONF": "/named", "XDG_CONFIG_HOME": "/xdg", "HOME": "/home",
                "PROXYCHAINS_CONF_FILE": "/chains",
            ])
    }

    @Test func `An option -x goes before everything that gives a chain`() {
        let assembly = everything.assemble(x: ["10.0.0.11,10.0.0.12", "10.0.0.13"], f: "/f")
        #expect(chain(assembly) == [11, 12, 13] && assembly.proxySource == .proxyOption(number: nil))
        #expect(path(assembly) == "/f" && assembly.mistakes.isEmpty)
    }

    @Test func `An option -f goes before SOCKSIFY_PROXY and SOCKSIFY_CONF`() {
        let assembly = everything.assemble(f: "/f")
        #expect(chain(assembly) == [2] && assembly.proxySource == nil && path(assembly) == "/f")
    }

    @Test func `SOCKSIFY_PROXY goes before the chain of SOCKSIFY_CONF, whose file gives all else`() {
        var machine = everything
        machine.files["/named"] = .success(FileText(Array(file(3, "loopback proxy").utf8), isReadableByOthers: false))
        let assembly = machine.assemble()
        #expect(chain(assembly) == [1] && assembly.proxySource == .proxyVariable && path(assembly) == "/named")
        #expect(assembly.parsed.configuration.loopback == .proxy)
    }

    @Test func `With SOCKSIFY_PROXY alone no file is looked for`() {
        var machine = everything
        machine.variables["SOCKSIFY_CONF"] = nil
        let assembly = machine.assemble()
        #expect(chain(assembly) == [1] && assembly.file == nil && assembly.mistakes.isEmpty)
    }

    /// When one source is removed, the next one counts.
    @Test func `Without SOCKSIFY_PROXY the first file counts that is there`() {
        var machine = everything
        machine.variables["SOCKSIFY_PROXY"] = ""
        #expect(chain(machine.assemble()) == [3])
        machine.variables["SOCKSIFY_CONF"] = nil
        #expect(chain(machine.assemble()) == [4])
        machine.variables["XDG_CONFIG_HOME"] = nil
        #expect(chain(machine.assemble()) == [5])
        machine.files["/home/.config/socksify/socksify.conf"] = nil
        #expect(chain(machine.assemble()) == [6])
        machine.files["/etc/socksify.conf"] = nil
        #expect(chain(machine.assemble()) == [7] && machine.assemble().file?.style == .proxychains)
        machine.variables["PROXYCHAINS_CONF_FILE"] = nil
        #expect(chain(machine.assemble()) == [8])
        machine.variables["HOME"] = nil
        #expect(chain(machine.assemble()) == [9])
        machine.files["/etc/proxychains.conf"] = nil
        let places = ["/etc/socksify.conf", "/etc/proxychains.conf", "/etc/proxychains4.conf"].map { Array($0.utf8) }
        #expect(machine.assemble().mistakes == [.noConfiguration(searched: places)])
    }

    @Test(
        arguments: [
            .refused(errno: 13), .noRegularFile, .tooLarge, .silent, .absent(errno: 2),
        ] as [FileFailure])
    func `A file that is there and cannot be read leaves nothing to the next`(failure: FileFailure) {
        var machine = everything
        machine.variables = ["HOME": "/home"]
        machine.files["/home/.config/socksify/socksify.conf"] = .failure(failure)
        let mistakes = machine.assemble().mistakes
        if case .absent = failure {
            #expect(mistakes.isEmpty && chain(machine.assemble()) == [6])
        } else {
            #expect(
                mistakes == [.unreadableFile(path: Array("/home/.config/socksify/socksify.conf".utf8), failure)])
        }
    }

    @Test func `A file that somebody named has to be there, whatever gives the chain`() {
        let missing = ConfigurationMistake.unreadableFile(path: Array("/none".utf8), .absent(errno: 2))
        #expect(everything.assemble(f: "/none").mistakes == [missing])
        #expect(everything.assemble(x: ["10.0.0.1"], f: "/none").mistakes == [missing])
        let variables = ["SOCKSIFY_PROXY": "10.0.0.1", "SOCKSIFY_CONF": "/none"]
        #expect(Machine([:], variables).assemble().mistakes == [missing])
        #expect(
            Machine(["/etc/proxychains.conf": file(9)], ["PROXYCHAINS_CONF_FILE": "/none"]).assemble().mistakes
                == [missing])
    }

    // MARK: What else decides

    @Test func `Patterns of options go before those of the variable, and both before rules`() {
        let machine = Machine(["/f": file(2, rules: "block host c.test")], ["SOCKSIFY_DIRECT": "b.test"])
        let assembly = machine.assemble(f: "/f", direct: ["a.test"])
        let rules = assembly.parsed.configuration.rules
        #expect(rules.map(\.action) == [.direct, .direct, .block(.refused)])
        #expect(
            rules.map(\.criteria.hosts) == ["a.test", "b.test", "c.test"].map { [HostPattern.name(Array($0.utf8))] })
        #expect(assembly.directRuleCount == 2)
        #expect(assembly.directPatterns == Array("a.test,b.test".utf8))
    }

    @Test func `The option of unreachable programs goes before its variable, and that before the file`() {
        var machine = Machine(["/f": file(2, "unreachable nonet")])
        #expect(machine.assemble(f: "/f").parsed.configuration.unreachable == .withoutNetwork)
        machine.variables["SOCKSIFY_UNREACHABLE"] = "direct"
        #expect(machine.assemble(f: "/f").parsed.configuration.unreachable == .direct)
        #expect(machine.assemble(f: "/f", unreachable: .block).parsed.configuration.unreachable == .block)
    }

    @Test func `An unknown policy is a mistake, and starts nothing`() {
        let assembly = Machine(["/f": file(2, "unreachable direct")], ["SOCKSIFY_UNREACHABLE": "prison"])
            .assemble(f: "/f")
        #expect(assembly.mistakes == [.unknownPolicy])
        #expect(assembly.parsed.configuration.unreachable == .block)
    }

    @Test func `Sections count for the program`() {
        let text = "[App curl]\nloopback proxy\n" + file(2)
        let machine = Machine(["/f": text])
        #expect(machine.assemble(f: "/f").parsed.configuration.loopback == .direct)
        let curl = ProgramIdentity(executable: Array("curl".utf8))
        #expect(machine.assemble(f: "/f", program: curl).parsed.configuration.loopback == .proxy)
    }

    // MARK: Mistakes and warnings

    @Test func `Every mistake is there, with where it was written, the chain's first`() {
        let machine = Machine(["/f": "what\n[ProxyList]\nsocks5 10.0.0.9\n"], ["SOCKSIFY_DIRECT": "a,"])
        let file = ConfigurationSource.file(path: Array("/f".utf8))
        let invalid = ConfigurationError.Kind.invalid(Array("10.0.0.0/40".utf8), .cidr)
        #expect(
            machine.assemble(x: ["10.0.0.1", "ftp://b"], f: "/f", direct: ["10.0.0.0/40"]).mistakes == [
                inText(.unknownProxyType(Array("ftp".utf8)), 0, 1, .proxyOption(number: 2)),
                inText(.unknownKeyword(Array("what".utf8)), 1, 1, file), inText(.missing(.port), 3, 16, file),
                inText(invalid, 0, 1, .directOption), inText(.missing(.directPattern), 0, 3, .directVariable),
            ])
        #expect(
            Machine([:], ["SOCKSIFY_PROXY": "a,ftp://b"]).assemble().mistakes == [
                inText(.unknownProxyType(Array("ftp".utf8)), 0, 3, .proxyVariable)
            ])
        #expect(
            machine.assemble(x: ["ftp://b"]).mistakes.first
                == inText(.unknownProxyType(Array("ftp".utf8)), 0, 1, .proxyOption(number: nil)))
    }

    /// The error names the file, even without a line, and does not occur beside other errors.
    @Test func `A list that no chain can be made of is a mistake`() {
        let file = ConfigurationSource.file(path: Array("/f".utf8))
        #expect(Machine(["/f": "[ProxyList]\n"]).assemble(f: "/f").mistakes == [inText(.noProxies, 0, 0, file)])
        let text = "random_chain\nchain_len = 2\n" + self.file(2)
        let kind = ConfigurationError.Kind.chainLongerThanList(length: 2, proxies: 1)
        #expect(Machine(["/f": text]).assemble(f: "/f").mistakes == [inText(kind, 2, 1, file)])
        #expect(Machine(["/f": text]).assemble(x: ["10.0.0.1"], f: "/f").mistakes.isEmpty)
        #expect(Machine(["/f": "what\n[ProxyList]\n"]).assemble(f: "/f").mistakes.count == 1)
    }

    @Test(arguments: [("u p", true), ("", false)])
    func `A file with passwords that others can read is warned of`(words: String, isWarned: Bool) {
        var machine = Machine()
        machine.files["/f"] = .success(FileText(Array(file(2, "", words).utf8), isReadableByOthers: true))
        #expect(machine.assemble(f: "/f").warnings == (isWarned ? [.exposedFile(path: Array("/f".utf8))] : []))
    }

    @Test func `What proxychains goes over in silence is a warning`() {
        let machine = Machine(["/chains": "what\n" + file(2)], ["PROXYCHAINS_CONF_FILE": "/chains"])
        guard case .inText(let error, .file(Array("/chains".utf8)))? = machine.assemble().warnings.first else {
            Issue.record("\(machine.assemble().warnings)")
            return
        }
        #expect(error.position == SourcePosition(line: 1, column: 1))
    }

    // MARK: Passwords

    private let byFile = "socks5://u@10.0.0.1?password-file=/pw"

    @Test func `Passwords are read from files and variables, and not before they are asked for`() {
        var machine = Machine(["/pw": "one\ntwo\n"], ["SOCKSIFY_PROXY": "\(byFile),u@10.0.0.2"])
        machine.variables["SOCKSIFY_PASSWORD"] = "three"
        #expect(machine.assemble().parsed.configuration.proxies.map(\.credentials?.password) == [[], []])
        let assembly = machine.assembleWithPasswords()
        #expect(
            assembly.parsed.configuration.proxies.map(\.credentials?.password)
                == [Array("one".utf8), Array("three".utf8)])
        #expect(assembly.mistakes.isEmpty && assembly.warnings.isEmpty)
    }

    @Test func `A password that cannot be had is a mistake of who wants it`() {
        let missing = PasswordSource.file(Array("/pw".utf8))
        #expect(
            Machine().assembleWithPasswords(x: ["10.0.0.2", byFile]).mistakes == [
                inText(.passwordNotFound(missing), 0, 10, .proxyOption(number: nil))
            ])
        let file = "[ProxyList]\n\(byFile)\n"
        #expect(
            Machine(["/named": file], ["SOCKSIFY_CONF": "/named"]).assembleWithPasswords().mistakes == [
                inText(.passwordNotFound(missing), 2, 1, .file(path: Array("/named".utf8)))
            ])
    }

    /// `--check` and the library agree: neither requires a password that no proxy uses.
    @Test func `A password of a chain that another stands in the place of is not read`() {
        let file = "[ProxyList]\n\(byFile)\n"
        let machine = Machine(["/named": file], ["SOCKSIFY_CONF": "/named", "SOCKSIFY_PROXY": "10.0.0.2"])
        #expect(machine.assembleWithPasswords().mistakes.isEmpty)
    }

    @Test func `A password file that others can read is warned of`() {
        var machine = Machine()
        machine.files["/pw"] = .success(FileText(Array("one".utf8), isReadableByOthers: true))
        #expect(machine.assemble(x: [byFile]).warnings.isEmpty)
        #expect(machine.assembleWithPasswords(x: [byFile]).warnings == [.exposedFile(path: Array("/pw".utf8))])
    }
}
