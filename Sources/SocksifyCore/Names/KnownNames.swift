import Addressing
import CKernel
import FakeDNS
import ProxyConfig

/// What is known of a name without asking anybody.
enum NameKnowledge {
    /// The name's own addresses; there may be none of the family.
    case addresses(AddressList)
    /// No such name can be.
    case none
    case unknown
    /// /etc/hosts could not be opened now, for want of descriptors or memory.
    case short(Errno)
}

/// What is known of an address without asking anybody.
enum AddressKnowledge {
    /// - Parameter isListed: whether /etc/hosts has it.
    case name(HostName, isListed: Bool = false)
    /// It has no name.
    case none
    case unknown
    /// /etc/hosts could not be opened now.
    case tryAgain
}

extension Names {
    /// Whether rules speak of the name, so that a reserved address stands for it whoever asks.
    func isRuled(_ host: HostName) -> Bool {
        configuration.lookup(of: host.bytes, port: nil, transport: nil) != .byMode
    }

    /// What is known of a name without asking anybody.
    func known(_ host: HostName, family: Int32) -> NameKnowledge {
        var own = AddressList()
        if let errno = own.addThisMachine(host, family: family) { return .short(errno) }
        if own.isKnown { return .addresses(own) }
        if !NameSyntax.isResolvable(host.bytes) { return .none }
        // A hidden service has no address that anybody could tell.
        if configuration.dns == .tor, givesFakeAddress(to: host),
            let number = number(of: host)
        {
            var list = AddressList()
            list.addFake(number: number, family: family, self)
            return .addresses(list)
        }
        return .unknown
    }

    /// What is known of an address without asking anybody.
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
        // Nobody is asked where names are the proxy's alone: SOCKS has no question for an address.
        return configuration.dns == .fake ? .none : .unknown
    }
}
