import TestProxy

/// UDP echo servers: on the far side, which only the proxy reaches, and near the client, which reaches them without it.
/// They live as long as the tests.
///
/// They answer `give 3 0 5` with datagrams of 3, 0 and 5 bytes.
enum EchoTargets {
    /// How a program names a server.
    enum Family: String, CaseIterable, Sendable {
        case ipv4, ipv6
        /// An IPv4 address as an IPv6 socket writes it.
        case mapped
    }

    private static let farServer = Task { try await start(host: FarSide.ipv4) }
    private static let far6Server = Task { try await start(host: FarSide.ipv6) }
    private static let secondServer = Task { try await start(host: "203.0.113.11", port: farServer.value.port) }
    private static let nearServer = Task { try await start(host: Machine.proxyIPv4) }
    private static let near6Server = Task { try await start(host: Machine.proxyIPv6) }
    private static let nearSecondServer = Task { try await start(host: Machine.proxyIPv4) }

    /// Address and port of a server on the far side.
    static func far(_ family: Family) async throws -> [String] {
        switch family {
        case .ipv4: [FarSide.ipv4, try await String(farServer.value.port)]
        case .ipv6: [FarSide.ipv6, try await String(far6Server.value.port)]
        case .mapped: ["::ffff:\(FarSide.ipv4)", try await String(farServer.value.port)]
        }
    }

    /// Address and port of another IPv4 server on the far side; the port is that of the first.
    static var farSecond: [String] { get async throws { ["203.0.113.11", try await String(secondServer.value.port)] } }

    /// Address and port of a server near the client, which needs no proxy.
    static func near(_ family: Family) async throws -> [String] {
        switch family {
        case .ipv4: [Machine.proxyIPv4, try await String(nearServer.value.port)]
        case .ipv6: [Machine.proxyIPv6, try await String(near6Server.value.port)]
        case .mapped: ["::ffff:\(Machine.proxyIPv4)", try await String(nearServer.value.port)]
        }
    }

    static var nearSecond: [String] {
        get async throws { [Machine.proxyIPv4, try await String(nearSecondServer.value.port)] }
    }

    private static func start(host: String, port: Int = 0) async throws -> DatagramServer {
        try await DatagramServer.start(host: host, port: port) { datagram, _ in
            let words = String(decoding: datagram.prefix(100), as: UTF8.self).split(separator: " ")
            guard words.first == "give" else { return [datagram] }
            return words.dropFirst().map { Array(repeating: UInt8(ascii: "g"), count: Int($0) ?? 0) }
        }
    }
}
