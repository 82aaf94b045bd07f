import Addressing
import Glibc
import ProxyConfig

/// An explanation for people and for programs.
public struct ExplanationReport {
    private let loaded: LoadedConfiguration
    private let destination: Destination
    private let transport: Transport
    private let explanation: Explanation

    /// The address that this machine knows for the name itself.
    private let ownAddress: IPAddress?

    /// - Parameter destination: port 443 is meant where there is none.
    public init(
        _ loaded: LoadedConfiguration, _ destination: Destination, _ transport: Transport, _ ownNames: OwnNames
    ) {
        self.loaded = loaded
        self.destination = destination
        self.transport = transport
        let port = destination.port ?? ExplanationReport.defaultPort
        if case .name(let name) = destination.host, let address = ownNames.address(of: name) {
            ownAddress = address
            explanation = loaded.parsed.explanation(of: address, lookedUpAs: name, port: port, transport: transport)
        } else {
            ownAddress = nil
            explanation = loaded.parsed.explanation(of: destination.host, port: port, transport: transport)
        }
    }

    private static var defaultPort: UInt16 { 443 }

    private var subject: String {
        let port = destination.port ?? ExplanationReport.defaultPort
        return "\(protocolName) \(Endpoint(host: destination.host, port: port))"
    }

    private var protocolName: String { transport == .tcp ? "tcp" : "udp" }

    /// What comes of it.
    private enum Outcome {
        case direct
        case byAddress
        case proxy(list: Int, Endpoint)
        case failure(RefusalError)
    }

    private var outcome: Outcome {
        switch explanation.way {
        case .direct: .direct
        case .byAddress: .byAddress
        case .refuse(let refusal): .failure(refusal.error)
        case .proxy where listWithoutDatagrams != nil: .failure(.networkUnreachable)
        case .proxy(let list, let target): .proxy(list: list, target)
        }
    }

    /// The list that a datagram would go through if that carried any.
    private var listWithoutDatagrams: Int? {
        guard transport == .udp, case .proxy(let list, _) = explanation.way,
            !loaded.configuration.carriesDatagrams(throughList: list)
        else { return nil }
        return list
    }

    // MARK: For people

    /// A sentence of where it goes, and one of what decided; before them what a lookup of a name gives.
    public var text: String {
        var lines: [String] = []
        if let lookup { lines.append("a lookup of \(destination.host) gives \(lookup.sentence)") }
        lines.append("\(subject) \(way)")
        lines.append("because \(reason)\(place.map { ", at \($0)" } ?? "")")
        if let position = explanation.translationPosition {
            lines.append("after the dnat at \(shown(position))")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var lookup: (word: String, sentence: String)? {
        switch explanation.lookup {
        case nil: ownAddress.map { ("own", "\($0), known on this machine (/etc/hosts)") }
        case .local?: ("local", "an address from the resolver of this machine")
        case .server(let server)?: ("server", "an address from \(server), asked through the proxy")
        case .tor?: ("tor", "an address from Tor")
        case .reserved?: ("reserved", "a reserved address; the proxy resolves the name")
        }
    }

    private var way: String {
        switch outcome {
        case .direct: "\(Explanation.directWords)"
        case .byAddress: "depends on the address of the name: explain the address instead"
        case .failure(let error): "fails with \(error.name) (\(describe(error.code)))"
        case .proxy(let list, let target):
            "goes through \(loaded.through(list: list))"
                + (Endpoint(host: destination.host, port: destination.port ?? Self.defaultPort) == target
                    ? "" : ", to \(target)")
        }
    }

    private var reason: String {
        guard let list = listWithoutDatagrams else { return decision }
        return "\(decision), and \(loaded.through(list: list)) does not support datagrams: a single socks5 proxy does"
    }

    private var decision: String {
        var bytes: [UInt8] = []
        loaded.configuration.write(explanation.reason, to: &bytes)
        return bytes.shown
    }

    /// The file and line that decided, or the option.
    private var place: String? {
        var bytes: [UInt8] = []
        loaded.places.write(placeOf: explanation.reason, to: &bytes)
        return bytes.isEmpty ? nil : bytes.shown
    }

    private func shown(_ position: SourcePosition) -> String {
        var bytes: [UInt8] = []
        loaded.places.write(position, to: &bytes)
        return bytes.shown
    }

    // MARK: For programs

    /// The explanation as JSON, in one line:
    ///
    ///     {
    ///       "protocol": "tcp", "host": "example.org", "port": 443,
    ///       "lookup": "reserved",         own, local, server, tor, reserved; null for an address
    ///       "way": "proxy",               direct, proxy, refused, byAddress
    ///       "list": "corp",               null unless it is a named list
    ///       "target": "example.org:443",  what the last proxy is asked for; null without a proxy
    ///       "error": null,                ECONNREFUSED, EHOSTUNREACH or ENETUNREACH where it is refused
    ///       "reason": "a rule says: ...",
    ///       "place": "FILE:12:1"          null where nothing says it
    ///     }
    public var json: String {
        var (word, list, target, error) = ("direct", JSON.null, JSON.null, JSON.null)
        switch outcome {
        case .direct: break
        case .byAddress: word = "byAddress"
        case .failure(let refusal):
            word = "refused"
            error = .string(refusal.name)
        case .proxy(let index, let endpoint):
            word = "proxy"
            target = .string(endpoint.description)
            if index > 0 { list = .string(loaded.configuration.lists[index].name.shown) }
        }
        return JSON.object([
            ("protocol", .string(protocolName)), ("host", .string(destination.host.description)),
            ("port", .integer(Int(destination.port ?? Self.defaultPort))),
            ("lookup", lookup.map { .string($0.word) } ?? .null), ("way", .string(word)), ("list", list),
            ("target", target), ("error", error), ("reason", .string(reason)),
            ("place", place.map(JSON.string) ?? .null),
        ]).text + "\n"
    }
}
