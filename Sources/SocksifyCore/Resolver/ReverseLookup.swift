import Addressing
import CKernel
import FakeDNS
import ProxyConfig

/// Looks up the name of an address without asking any server.
enum ReverseLookup {
    enum Answer {
        case byLibC
        /// - Parameter isListed: whether /etc/hosts has it.
        case name(HostName, isListed: Bool = false)
        case none
        /// No server has answered.
        case tryAgain
    }

    static func look(up address: IPAddress, _ connections: UnsafePointer<Connections>) -> Answer {
        if case .real = connections.pointee.names.meaning(of: address), connections.pointee.configuration.dns == .local
        {
            return .byLibC
        }
        switch connections.pointee.names.known(address) {
        case .name(let name, let isListed): return .name(name, isListed: isListed)
        case .none: return .none
        case .tryAgain: return .tryAgain
        case .unknown: return RemoteLookup.name(of: address, connections)
        }
    }
}
