import Addressing
import CKernel
import FakeDNS
import ProxyConfig

/// Where a name leads, without asking anybody outside this process.
enum NameLookup {
    enum Answer {
        /// The name is resolved as if the library were not there.
        case byLibC
        /// The name's own addresses, from /etc/hosts or because it is this machine's.
        case addresses(ResolvedAddresses)
        /// The name has this number, for which reserved addresses stand.
        case fake(number: UInt32)
        /// The name has this number; libc resolves it, and the addresses are to be remembered as the name's.
        case local(number: UInt32)
        /// No such name can be.
        case none
        /// A name cannot be looked up now.
        case tryAgain
        /// There were no descriptors, or there was no memory, to look it up.
        case short(Errno)
        /// Nothing can be looked up: there is no configuration.
        case failure
    }

    /// What a program says of its purpose when it looks a name up.
    struct Purpose {
        /// nil where it does not say.
        var port: UInt16?
        /// nil where it does not say.
        var transport: Transport?
    }

    /// - Parameter name: not a numeric address.
    static func look(
        up name: Span<UInt8>, family: Int32, for purpose: Purpose, _ connections: UnsafePointer<Connections>
    ) -> Answer {
        let isLocal = connections.pointee.configuration.dns == .local
        if isLocal, connections.pointee.configuration.rules.isEmpty { return .byLibC }
        guard let host = HostName(NameSyntax.withoutFinalDot(name)) else { return isLocal ? .byLibC : .none }
        let ruled = connections.pointee.configuration.lookup(
            of: host.bytes, port: purpose.port, transport: purpose.transport)
        switch connections.pointee.names.known(host, family: family) {
        case .addresses(let list):
            if ruled != .byMode { list.remember(as: host, connections.pointee.names) }
            if isLocal { return .byLibC }
            return list.count > 0 ? .addresses(list) : .none
        case .none: return isLocal ? .byLibC : .none
        case .short(let errno): return isLocal ? .byLibC : .short(errno)
        case .unknown: break
        }
        switch ruled {
        case .byMode where isLocal: return .byLibC
        case .byMode
        where connections.pointee.names.searchesDomains && !connections.pointee.names.givesFakeAddress(to: host):
            return RemoteLookup.search(for: name, family: family, connections)
        case .byMode where !connections.pointee.names.givesFakeAddress(to: host):
            return RemoteLookup.addresses(of: host, family: family, connections)
        // What depends on more than the name stays with the proxies, unless all names are this machine's to resolve.
        case .local,
            .undecided where isLocal:
            return connections.pointee.names.number(lookingUp: host).map { .local(number: $0) } ?? .tryAgain
        case .byMode, .proxy, .undecided:
            return connections.pointee.names.number(lookingUp: host).map { .fake(number: $0) } ?? .tryAgain
        }
    }
}
