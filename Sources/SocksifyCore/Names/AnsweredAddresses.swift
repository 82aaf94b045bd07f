import Addressing
import CKernel
import FakeDNS
import ProxyConfig

extension Names {
    /// Whether a program may get an address from a DNS answer. Reserved addresses in use are always refused, addresses
    /// of this machine and those that go direct unless `local_answers` is `accept`.
    ///
    /// - Parameter name: empty if unknown.
    func accepts(_ address: IPAddress, for name: Span<UInt8>) -> Bool {
        if case .name = fakeAddresses.meaning(of: address) { return false }
        guard configuration.localAnswers == .refuse, configuration.leadsAroundProxies(address, name: name) else {
            return true
        }
        Log.write(.warning, configuration) { line in
            line.append("dns: an answer for ")
            line.append(name)
            line.append(" would go direct, and is refused: ")
            address.write(to: &line)
        }
        return false
    }

    func accepts(_ address: IPAddress, answering query: DNSQuery) -> Bool {
        guard let name = query.question?.name.hostName else { return accepts(address, for: Span()) }
        return accepts(address, for: name.bytes)
    }

    /// Whether a program may get a DNS message that it reads itself.
    func accepts(_ message: Span<UInt8>, answering query: DNSQuery) -> Bool {
        guard let name = query.question?.name.hostName else {
            return DNSAddresses.all(in: message) { accepts($0, for: Span()) }
        }
        return DNSAddresses.all(in: message) { accepts($0, for: name.bytes) }
    }
}
