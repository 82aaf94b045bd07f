import Addressing
import CLibC
import FakeDNS
import ProxyConfig
import SOCKS5

/// Names and addresses that somebody is asked for through the proxies (`dns tcp`, `dns tor`).
enum RemoteLookup {
    /// - Parameter family: AF_INET, AF_INET6, or AF_UNSPEC for both.
    static func addresses(
        of host: HostName, family: Int32, _ runtime: UnsafePointer<Runtime>
    ) -> NameLookup.Answer {
        var found = Found()
        switch runtime.pointee.configuration.dns {
        case .fake, .local: return .failure
        case .tor: found.resolve(host, family: family, runtime)
        case .tcp(let server):
            if family != AF_INET6 { found.ask(server, host, .a, runtime) }
            // A server that does not answer is not waited for twice.
            if family != AF_INET, !found.hasFailed { found.ask(server, host, .aaaa, runtime) }
        }
        if found.list.isKnown { return .addresses(found.list) }
        return found.hasFailed ? .tryAgain : .none
    }

    /// The name of an address.
    static func name(of address: IPAddress, _ runtime: UnsafePointer<Runtime>) -> ReverseLookup.Answer {
        switch runtime.pointee.configuration.dns {
        case .fake, .local: return .none
        case .tor:
            guard let exchange = NameServer.ask(Span(), .resolving(address), runtime) else { return .tryAgain }
            defer { exchange.unmap() }
            switch exchange.end {
            case .resolved(let endpoint):
                if case .name(let name) = endpoint.host { return answer(name) }
                return .none
            case .notFound: return .none
            case .underWay, .message, .failed: return .tryAgain
            }
        case .tcp(let server):
            var text = ReverseText()
            ReverseName.write(for: address, to: &text)
            guard let name = DNSName(text.bytes),
                let response = response(of: server, DNSQuestion(name: name, type: .ptr), runtime)
            else { return .tryAgain }
            guard response.code == .noError || response.code == .nameError else { return .tryAgain }
            return response.pointer?.hostName.map { answer($0) } ?? .none
        }
    }

    private static func answer(_ name: HostName) -> ReverseLookup.Answer {
        NameSyntax.isOfHostElsewhere(name.bytes) ? .name(name) : .none
    }

    /// What several questions about a name have found.
    private struct Found {
        var list = AddressList()
        var hasFailed = false

        mutating func resolve(_ host: HostName, family: Int32, _ runtime: UnsafePointer<Runtime>) {
            guard let exchange = NameServer.ask(Span(), .resolving(host), runtime) else {
                hasFailed = true
                return
            }
            defer { exchange.unmap() }
            switch exchange.end {
            case .resolved(let endpoint):
                if case .address(let address) = endpoint.host, runtime.pointee.accepts(address, for: host.bytes) {
                    list.add(address, ifOf: family)
                } else {
                    list.addNothing()
                }
            case .notFound: break
            case .underWay, .message, .failed: hasFailed = true
            }
        }

        mutating func ask(
            _ server: Endpoint, _ host: HostName, _ type: DNSType, _ runtime: UnsafePointer<Runtime>
        ) {
            guard let name = DNSName(host.bytes) else { return }
            guard let response = response(of: server, DNSQuestion(name: name, type: type), runtime) else {
                hasFailed = true
                return
            }
            switch response.code {
            case .noError: list.add(response) { runtime.pointee.accepts($0, for: host.bytes) }
            case .nameError: break
            default: hasFailed = true
            }
        }
    }

    private static func response(
        of server: Endpoint, _ question: DNSQuestion, _ runtime: UnsafePointer<Runtime>
    ) -> DNSResponse? {
        var id: UInt16 = 0
        _ = kernel_random(&id, 2)
        let query = DNSQuery(asking: question, id: id)
        var storage = InlineArray<512, UInt8>(repeating: 0)
        guard let length = query.write(into: storage.mutableSpan) else { return nil }
        let request = Request(command: .connect, destination: server)
        guard let exchange = NameServer.ask(storage.span.extracting(first: length), request, runtime) else {
            return nil
        }
        defer { exchange.unmap() }
        guard case .message(let count) = exchange.end else { return nil }
        let bytes = UnsafeRawBufferPointer(rebasing: exchange.answer[..<count]).bindMemory(to: UInt8.self)
        return try? DNSResponse(Span(_unsafeElements: bytes), to: query)
    }
}

/// The name of an address for the DNS, of at most 72 bytes.
private struct ReverseText: ByteSink {
    private var storage = InlineArray<80, UInt8>(repeating: 0)
    private var length = 0

    mutating func append(_ byte: UInt8) {
        guard length < storage.count else { return }
        storage[length] = byte
        length += 1
    }

    var bytes: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { storage.span.extracting(first: length) }
    }
}
