import Addressing
import CKernel
import FakeDNS
import ProxyConfig

extension Names {
    /// Whether a rule decides about the name, so that even a program that asks a name server gets a reserved address.
    func isRuled(_ host: HostName) -> Bool {
        configuration.lookup(of: host.bytes, port: nil, transport: nil) != .byMode
    }

    /// Looks up a name in this machine's own data.
    func known(_ host: HostName, family: Int32) -> NameKnowledge {
        var own = ResolvedAddresses()
        if let errno = own.addThisMachine(host, family: family) { return .short(errno) }
        if own.isKnown { return .addresses(own) }
        if !NameSyntax.isResolvable(host.bytes) { return .none }
        // An onion service has no address to resolve.
        if configuration.dns == .tor, givesFakeAddress(to: host),
            let number = number(of: host)
        {
            var list = ResolvedAddresses()
            list.addFake(number: number, family: family, self)
            return .addresses(list)
        }
        return .unknown
    }

    /// Looks up an address in this machine's own data.
    func known(_ address: IPAddress) -> AddressKnowledge {
        if case .name(let number) = meaning(of: address) {
            return name(of: number).map { .name($0) } ?? .none
        }
        if let number = LocalNames.number(of: address, self), let name = name(of: number) {
            return .name(name)
        }
        var found: HostName?
        let shortage = HostsFile.forEachLine { line in
            guard line.address.unmapped == address.unmapped, let name = line.canonicalName else { return true }
            found = name
            return false
        }
        guard shortage == nil else { return .tryAgain }
        if let found { return .name(found, isListed: true) }
        // With `dns fake` there is no server to ask: SOCKS has no reverse lookup.
        return configuration.dns == .fake ? .none : .unknown
    }
}
