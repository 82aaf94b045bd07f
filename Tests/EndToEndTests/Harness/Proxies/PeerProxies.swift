import TestProxy

/// Several proxies at fixed ports of the machine that the client reaches, where configuration files name them, and the
/// ways of connections through them.
final class PeerProxies: Sendable {
    /// A proxy, and its name in a way.
    struct Place: Sendable {
        var name: String
        var host: String
        var port: Int
        var script: Script

        init(
            _ name: String, host: String = Machine.proxyIPv4, port: Int, _ change: (inout Script) -> Void = { _ in }
        ) {
            self.name = name
            self.host = host
            self.port = port
            script = Script.with {
                $0.names = PeerNetwork.names
                change(&$0)
            }
        }
    }

    /// The proxies that the files name. Nothing listens at 11009 and 11010.
    static let common = [
        Place("A", port: 11001), Place("B", port: 11002), Place("C", port: 11003), Place("D", port: 11004),
        Place("L", host: Machine.proxyIPv6, port: 11006),
        Place("hangs", port: 11008) { $0.neverReads = true },
        Place("U", port: 11011) { $0.credentials = Credentials(user: "alice", password: "s3cret") },
        Place("W", port: 11012) { $0.credentials = Credentials(user: "bob", password: "p@ss:w0rd") },
        // Proxies like Tor. The last one asks for a user and accepts any.
        Place("T", port: 9050) { $0.commands = [.connect, .resolve, .resolvePTR] },
        Place("S", port: 11013) {
            $0.commands = [.connect, .resolve, .resolvePTR]
            $0.credentials = Credentials(user: "alice", password: "s3cret")
        },
        Place("I", port: 11014) {
            $0.commands = [.connect, .resolve, .resolvePTR]
            $0.chosenMethod = 2
        },
        Place("H", port: 11021) { $0.proxyProtocol = .http },
        Place("K", port: 11022) {
            $0.proxyProtocol = .http
            $0.credentials = Credentials(user: "alice", password: "s3cret")
        },
        Place("V", port: 11031) { $0.proxyProtocol = .socks4 },
        Place("X", port: 11032) {
            $0.proxyProtocol = .socks4
            $0.credentials = Credentials(user: "carol", password: "")
        },
    ]

    private let places: [Place]
    private let proxies: [TestProxy]

    private init(_ places: [Place], _ proxies: [TestProxy]) {
        self.places = places
        self.proxies = proxies
    }

    /// Runs `body` with proxies at the given places.
    static func during<Result>(_ places: [Place], _ body: (PeerProxies) async throws -> Result) async throws -> Result {
        var proxies: [TestProxy] = []
        do {
            for place in places {
                proxies.append(try await TestProxy.start(host: place.host, port: place.port, script: place.script))
            }
            let result = try await body(PeerProxies(places, proxies))
            for proxy in proxies { await proxy.stop() }
            return result
        } catch {
            for proxy in proxies { await proxy.stop() }
            throw error
        }
    }

    /// Runs a command and returns the ways of its connections, with the lines that it printed.
    ///
    /// A way reads `A > B > web.test:7070: far`: A was asked for a connection to B, B for one to web.test, and the
    /// program printed "far". `far` alone: the program reached the target, and no proxy was asked.
    ///
    /// - Parameter isSilent: whether the command must write nothing else.
    func ways(of command: [String], isSilent: Bool = false) async throws -> String {
        let before = proxies.map(\.sessions.count)
        let run = try await Client.start(command, limit: 60)
        for proxy in proxies { _ = try await proxy.sessions { $0.allSatisfy(\.ended) } }
        // A connection begins after the one before has ended, and its next hop after the hop before was asked for it.
        let asked = proxies.indices.flatMap { place in
            proxies[place].sessions.dropFirst(before[place]).map { (place, session: $0) }
        }.sorted { $0.session.number < $1.session.number }
        var ways: [String] = []
        var expected: String?
        var strangers: [Credentials] = []
        for (place, session) in asked {
            // A client that leaves without sending anything may be gone before the proxy has seen it.
            if session.outcome == .abandoned, session.received.isEmpty, !places[place].script.neverReads { continue }
            var step = places[place].name
            if let credentials = session.credentials {
                step += "(\(user(credentials, of: places[place], &strangers)))"
            }
            if expected == places[place].name {
                ways[ways.count - 1] += " > \(step)"
            } else {
                ways.append(step)
            }
            expected = slotAsked(of: session)
            if expected == nil { ways[ways.count - 1] += destination(of: session).map { " > \($0)" } ?? "" }
        }
        let lines = run.output.split(separator: "\n").map(String.init)
        guard run.status == 0, !isSilent || run.error.isEmpty else { return "\(ways) \(run)" }
        let isPaired = ways.count == lines.count
        let groups =
            isPaired
            ? zip(ways, lines).map { [$0, $1] } : [[ways.joined(separator: ", "), lines.joined(separator: ", ")]]
        return groups.map { $0.filter { !$0.isEmpty }.joined(separator: ": ") }.joined(separator: "; ")
    }

    /// The user's name. For a proxy that accepts any user, a number, which is the same for the same user.
    private func user(_ credentials: Credentials, of place: Place, _ strangers: inout [Credentials]) -> String {
        guard place.script.credentials == nil else { return String(decoding: credentials.user, as: UTF8.self) }
        if !strangers.contains(credentials) { strangers.append(credentials) }
        return "\((strangers.firstIndex(of: credentials) ?? 0) + 1)"
    }

    /// The name of the proxy that the session asked for.
    private func slotAsked(of session: Session) -> String? {
        guard let endpoint = session.request?.endpoint else { return nil }
        let host = "\(endpoint.address)"
        return places.first {
            $0.port == Int(endpoint.port) && (PeerNetwork.names[host] ?? [host]).contains($0.host)
        }?.name
    }

    private func destination(of session: Session) -> String? {
        guard let request = session.request else { return nil }
        switch request.command {
        case .connect: return request.endpoint.description
        case .udpAssociate:
            return "udp " + (session.association?.destinations ?? []).map(\.description).joined(separator: " ")
        case .resolve: return "name \(request.address)"
        case .resolvePTR: return "address \(request.address)"
        default: return request.description
        }
    }
}
