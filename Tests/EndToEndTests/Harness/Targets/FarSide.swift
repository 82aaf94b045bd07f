import TestProxy

/// Servers on the far side, which only the proxy reaches. They live as long as the tests.
enum FarSide {
    static let ipv4 = "203.0.113.10"
    static let ipv6 = "2001:db8::10"

    static let echo = Task { try await TargetServer.start(.echo, host: ipv4) }
    static let echo6 = Task { try await TargetServer.start(.echo, host: ipv6) }
    static let banner = Task {
        try await TargetServer.start(.banner(Array("220 at your service".utf8)), host: ipv4)
    }

    static var echoPort: String { get async throws { try await String(echo.value.port) } }
    static var echoPort6: String { get async throws { try await String(echo6.value.port) } }
    static var bannerPort: String { get async throws { try await String(banner.value.port) } }
}
