import Addressing
import CPreload
import FakeDNS
import ProxyConfig
import SharedTables

/// Names that this machine resolves because of a rule. It remembers the name of each address, so that the rule applies
/// when the program connects to the address.
enum LocalNames {
    /// Remembers the name of the addresses in the list.
    @inline(never)
    static func remember(_ list: UnsafePointer<addrinfo>?, of number: UInt32, _ names: borrowing Names) {
        var next = list
        while let entry = next?.pointee {
            if let address = SocketAddress(UnsafePointer(entry.ai_addr), length: entry.ai_addrlen) {
                remember(address.address, of: number, names)
            }
            next = UnsafePointer(entry.ai_next)
        }
    }

    static func remember(_ address: IPAddress, of number: UInt32, _ names: borrowing Names) {
        guard let version = names.version(of: number) else { return }
        names.addressNames.insert(.init(number: number, version: version), for: address)
    }

    /// The number of the name that was looked up to get the address; nil if there is none, or it was forgotten.
    static func number(of address: IPAddress, _ names: borrowing Names) -> UInt32? {
        guard names.configuration.namesHosts, let name = names.addressNames.name(of: address),
            names.version(of: name.number) == name.version
        else { return nil }
        return name.number
    }

    /// The result of a lookup.
    enum Lookup {
        case addresses(ResolvedAddresses)
        /// There is no such name, or none with addresses of the family.
        case none
        case tryAgain
    }

    /// Resolves a name by libc.
    ///
    /// - Parameter family: AF_INET, AF_INET6, or AF_UNSPEC for both.
    static func addresses(of name: HostName, family: Int32) -> Lookup {
        var hints = addrinfo()
        hints.ai_family = family
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_CANONNAME
        var list: UnsafeMutablePointer<addrinfo>?
        let code = withCString(name) { real_call_getaddrinfo($0, nil, &hints, &list) }
        guard code == 0, let list else { return code == EAI_AGAIN ? .tryAgain : .none }
        defer { real_call_freeaddrinfo(list) }
        var found = ResolvedAddresses()
        if let canonicalName = list.pointee.ai_canonname { found.setCanonicalName(HostName(bytes(of: canonicalName))) }
        var next: UnsafeMutablePointer<addrinfo>? = list
        while let entry = next?.pointee {
            if let address = SocketAddress(UnsafePointer(entry.ai_addr), length: entry.ai_addrlen) {
                found.addOwn(address.address)
            }
            next = entry.ai_next
        }
        return .addresses(found)
    }
}
