import TestProxy

/// Runs `body` with a test proxy at the address that the client can reach.
func withProxy(
    _ script: Script = Script(), host: String = Machine.proxyIPv4,
    _ body: (TestProxy, _ url: String) async throws -> Void
) async throws {
    let proxy = try await TestProxy.start(host: host, script: script)
    let user = script.credentials.map {
        "\(String(decoding: $0.user, as: UTF8.self)):\(String(decoding: $0.password, as: UTF8.self))@"
    }
    let address = host.contains(":") ? "[\(host)]" : host
    try await proxy.during { try await body($0, "socks5://\(user ?? "")\(address):\($0.port)") }
}

extension Script {
    /// The default script with the changes that `change` makes.
    static func with(_ change: (inout Script) -> Void) -> Script {
        var script = Script()
        change(&script)
        return script
    }
}

extension TestProxy {
    /// The destinations of the requests, in order.
    var requests: [String] { sessions.compactMap { $0.request?.description } }
}

/// A configuration file for the proxy at `url`, with lines of its own before the list.
func configuration(_ lines: String..., urls: [String]) -> String {
    (["strict_chain", "proxy_dns"] + lines + ["[ProxyList]"] + urls).joined(separator: "\n") + "\n"
}
