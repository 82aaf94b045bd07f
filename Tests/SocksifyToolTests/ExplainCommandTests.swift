import ProxyConfig
import SocksifyTool
import Testing

@Suite struct ExplainCommandTests {
    private let folder = TemporaryFolder()
    private let file: String

    init() {
        file = folder.write(
            "a.conf",
            """
            localnet 192.168.0.0/255.255.0.0
            dnat 203.0.113.1 203.0.113.2:80
            [ProxyList]
            socks5://u:secret@10.0.0.1:1080
            [Proxies corp]
            socks5 10.0.0.2 1080
            socks5 10.0.0.3 1080
            [Rules]
            proxy corp host .corp.example port 443
            block unreachable net 10.9.0.0/16
            [App curl]
            direct host .corp.example
            """, mode: 0o600)
    }

    private let names = OwnNames(
        hosts: Array("# 10.9.0.9 far.corp.example\n10.9.0.1\tNear.corp.example near\n".utf8), machine: Array("m".utf8))

    private func load(
        direct: [String] = [], proxies: [String] = [], program: String? = nil
    ) throws(Failure) -> LoadedConfiguration {
        try ConfigurationLoading.load(
            ConfigurationOptions(
                proxies: proxies.map { Array($0.utf8) }, file: Array(file.utf8), direct: direct.map { Array($0.utf8) }),
            environment: ConfigurationSearch.Environment(),
            program: program.map { ProgramIdentity(executable: Array($0.utf8)) })
    }

    private func explain(
        _ target: String, _ transport: Transport = .tcp, direct: [String] = [], proxies: [String] = [],
        program: String? = nil
    ) throws -> ExplanationReport {
        try ExplanationReport(
            load(direct: direct, proxies: proxies, program: program), Destination(target), transport, names)
    }

    /// The answer names the line that decides, and its text.
    @Test func rules() throws {
        #expect(
            try explain("www.corp.example").text == """
                a lookup of www.corp.example gives a reserved address; the proxy resolves the name
                tcp www.corp.example:443 goes through the list corp (socks5 10.0.0.2:1080, then socks5 10.0.0.3:1080)
                because a rule says: proxy corp host .corp.example port 443, at \(file):9:1

                """)
        #expect(
            try explain("10.9.0.1:22").text == """
                tcp 10.9.0.1:22 fails with EHOSTUNREACH (No route to host)
                because a rule says: block unreachable net 10.9.0.0/16, at \(file):10:1

                """)
        #expect(
            try explain("www.corp.example", program: "/usr/bin/curl").text.hasSuffix(
                "because a rule says: direct host .corp.example, at \(file):12:1\n"))
        #expect(
            try explain("10.9.0.1:22", direct: ["10.0.0.0/8:22"]).text == """
                tcp 10.9.0.1:22 goes direct
                because a rule says: direct net 10.0.0.0/8 port 22, at --direct or SOCKSIFY_DIRECT

                """)
    }

    @Test func whatNoRuleSays() throws {
        #expect(
            try explain("192.168.1.1:80").text == """
                tcp 192.168.1.1:80 goes direct
                because a localnet says so, at \(file):1:10

                """)
        #expect(
            try explain("203.0.113.1:80").text.contains("goes through socks5 10.0.0.1:1080, to 203.0.113.2:80\n"))
        #expect(try explain("203.0.113.1:80").text.hasSuffix("after the dnat at \(file):2:6\n"))
        #expect(
            try explain("127.0.0.1:80").text.contains("goes direct\nbecause this is an address of this"))
        #expect(
            try explain("example.org:53", .udp).text.contains("udp example.org:53 goes through socks5 10.0.0.1:1080\n"))
        #expect(try explain("203.0.113.9:80", proxies: ["10.0.0.9"]).text.contains("through socks5 10.0.0.9:1080\n"))
    }

    @Test func datagramsOfChains() throws {
        let through = "the list corp (socks5 10.0.0.2:1080, then socks5 10.0.0.3:1080)"
        #expect(
            try explain("www.corp.example", .udp).text.hasSuffix(
                """
                udp www.corp.example:443 fails with ENETUNREACH (Network is unreachable)
                because a rule says: proxy corp host .corp.example port 443, and \(through) does not support datagrams: \
                a single socks5 proxy does, at \(file):9:1

                """))
        #expect(try explain("www.corp.example", .udp).json.contains(#""error": "ENETUNREACH""#))
    }

    /// Names that this machine knows precede all proxies; rules for the name apply to the address.
    @Test func ownNames() throws {
        #expect(
            try explain("near:80").text == """
                a lookup of near gives 10.9.0.1, known on this machine (/etc/hosts)
                tcp near:80 fails with EHOSTUNREACH (No route to host)
                because a rule says: block unreachable net 10.9.0.0/16, at \(file):10:1

                """)
        #expect(try explain("near:80").json.contains(#""lookup": "own""#))
        #expect(try explain("near.CORP.example").text.contains("goes through the list corp"))
        for name in ["localhost", "localhost.", "m"] {
            #expect(try explain("\(name):80").text.contains("gives 127.0.0.1, "))
            #expect(try explain("\(name):80").text.contains("goes direct\n"))
        }
        #expect(try explain("far.corp.example").json.contains(#""lookup": "reserved""#))
    }

    @Test func jsonHasTheKeysThatAreDocumented() throws {
        #expect(
            try explain("www.corp.example").json == """
                {"protocol": "tcp", "host": "www.corp.example", "port": 443, "lookup": "reserved", "way": "proxy", \
                "list": "corp", "target": "www.corp.example:443", "error": null, \
                "reason": "a rule says: proxy corp host .corp.example port 443", "place": "\(file):9:1"}

                """)
        #expect(
            try explain("10.9.0.1").json.contains(
                #""way": "refused", "list": null, "target": null, "error": "EHOSTUNREACH","#))
    }

    /// The errors are the same as the programs get.
    @Test(arguments: [("0.0.0.0:80", Transport.tcp, "ECONNREFUSED"), ("198.51.100.1:53", .udp, "ENETUNREACH")])
    func refusals(target: String, transport: Transport, name: String) throws {
        let path = folder.write("b.conf", "loopback proxy\nudp block\n[ProxyList]\nsocks5 10.0.0.1 1080\n")
        let loaded = try ConfigurationLoading.load(
            ConfigurationOptions(file: Array(path.utf8)), environment: ConfigurationSearch.Environment())
        let report = try ExplanationReport(loaded, Destination(target), transport, names)
        #expect(report.json.contains("\"error\": \"\(name)\""), "\(report.json)")
        #expect(report.text.contains(" fails with \(name) ("), "\(report.text)")
    }

    /// The printed configuration names its source, has no password, and has the meaning of the file.
    @Test func printedConfiguration() throws {
        let loaded = try load(direct: [".local"], proxies: ["socks5://u:hidden@10.0.0.9"])
        let text = String(decoding: loaded.text, as: UTF8.self)
        for line in [
            "# The default chain comes from -x.\n", "# Everything else comes from \(file).\n",
            "# The first rule comes from --direct and SOCKSIFY_DIRECT.\n",
            "# \(file):9\nproxy corp host .corp.example port 443\n",
            "socks5://u:***@10.0.0.9:1080\n", "direct host .local\n",
        ] {
            #expect(text.contains(line), "\(line) in \(text)")
        }
        #expect(!text.contains("hidden") && !text.contains("secret"))
        let again = Configuration.parse(text)
        #expect(again.errors.isEmpty)
        #expect(again.configuration.rules == loaded.configuration.rules)
        #expect(again.configuration.localNetworks == loaded.configuration.localNetworks)
        #expect(!text.contains("direct host .corp.example"))
        let forCurl = String(decoding: try load(program: "curl").text, as: UTF8.self)
        #expect(forCurl.contains("# \(file):12\ndirect host .corp.example\n"))
    }
}
