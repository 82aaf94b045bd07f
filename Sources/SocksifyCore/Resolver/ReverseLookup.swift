import Addressing
import CKernel
import FakeDNS
import ProxyConfig

/// From an address to its name, without asking anybody outside this process.
enum ReverseLookup {
    enum Answer {
        case byLibC
        /// - Parameter isListed: whether /etc/hosts has it.
        case name(HostName, isListed: Bool = false)
        case none
        /// Nobody has answered.
        case tryAgain
    }

    static func look(up address: IPAddress) -> Answer {
        let runtime: UnsafePointer<Runtime>
        switch Runtime.state {
        case .unusable, .short: return .none
        case .ready(let pointer): runtime = pointer
        }
        if case .real = runtime.pointee.names.meaning(of: address), runtime.pointee.configuration.dns == .local {
            return .byLibC
        }
        switch runtime.pointee.names.known(address) {
        case .name(let name, let isListed): return .name(name, isListed: isListed)
        case .none: return .none
        case .tryAgain: return .tryAgain
        case .unknown: return RemoteLookup.name(of: address, runtime)
        }
    }
}
