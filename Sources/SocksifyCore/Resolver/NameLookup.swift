import Addressing
import CKernel
import FakeDNS
import ProxyConfig

/// Looks a name up without asking any server.
enum NameLookup {
    enum Answer {
        /// libc resolves the name, as without the library.
        case byLibC
        /// The name's own addresses, from /etc/hosts or because it is this machine's.
        case addresses(ResolvedAddresses)
        /// The name gets the reserved addresses of this number.
        case fake(number: UInt32)
        /// libc resolves the name, and the addresses are remembered with this number.
        case local(number: UInt32)
        /// There is no such name.
        case none
        /// The name cannot be looked up now.
        case tryAgain
        /// Descriptors or memory are missing to look it up.
        case short(Errno)
        /// There is no configuration: no name can be looked up.
        case failure
    }

    /// What a program says of its purpose in a lookup.
    struct Purpose {
        /// nil if unknown.
        var port: UInt16?
        /// nil if unknown.
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
        // If a decision depends on more than the name, the proxies resolve it, unless this machine resolves all names.
        case .local,
            .undecided where isLocal:
            return connections.pointee.names.number(lookingUp: host).map { .local(number: $0) } ?? .tryAgain
        case .byMode, .proxy, .undecided:
            return connections.pointee.names.number(lookingUp: host).map { .fake(number: $0) } ?? .tryAgain
        }
    }
}
