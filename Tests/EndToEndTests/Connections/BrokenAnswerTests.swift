import Testing

extension EndToEnd {
    /// Proxies that close the connection after an answer of another protocol: the library must not read a reply code
    /// out of such an answer.
    @Suite struct BrokenAnswerTests {
        private static let cases: [(proxy: String, answers: [String], error: String)] = [
            ("socks5", ["04"], "ECONNREFUSED"), ("socks5", ["04ff"], "ECONNREFUSED"), ("socks5", ["05ff"], "EACCES"),
            ("socks5 user", ["0502", "02"], "ECONNREFUSED"), ("socks5 user", ["0502", "0201"], "ECONNREFUSED"),
            ("socks5 user", ["0502", "0101"], "EACCES"),
            ("socks5", ["0500", "04"], "ECONNREFUSED"), ("socks5", ["0500", "0404"], "ECONNREFUSED"),
            ("socks5", ["0500", "00040001"], "ECONNREFUSED"), ("socks5", ["0500", "0404000100"], "ECONNREFUSED"),
            ("socks5", ["0500", "0504"], "EHOSTUNREACH"), ("socks5", ["0500", "0504000100"], "EHOSTUNREACH"),
            ("socks4", ["05"], "ECONNREFUSED"), ("socks4", ["055c"], "ECONNREFUSED"),
            ("socks4", ["055c000000000000"], "ECONNREFUSED"), ("socks4", ["005c"], "EACCES"),
            ("http", [hex("H")], "ECONNREFUSED"), ("http", [hex("ICY 407 ")], "ECONNREFUSED"),
            ("http", [hex("HTTP/2 407 ")], "ECONNREFUSED"), ("http", [hex("HTTP/1.1 407")], "ECONNREFUSED"),
            ("http", [hex("HTTP/1.1 407 ")], "EACCES"),
        ]

        private static func hex(_ text: String) -> String {
            text.utf8.map { String(256 + Int($0), radix: 16).dropFirst() }.joined()
        }

        @Test(arguments: cases)
        func `A refusal is one in the proxy's own protocol alone`(
            proxy: String, answers: [String], error: String
        ) async throws {
            let address = "127.0.43.1"
            let words = proxy.split(separator: " ")
            let line = "\(words[0]) \(address) 1080" + (words.count > 1 ? " \(words[1]) password" : "")
            let output = try await ConfigurationText("log off\n[ProxyList]\n\(line)").write { path in
                try await CallProbe.run(
                    "broken-answer", [address] + answers, environment: ["SOCKSIFY_CONF": path])
            }
            #expect(output.lines == ["connect \(error)"], "\(output.errors)")
        }
    }
}
