import Addressing
import CKernel

/// The answer to a lookup of an address from this machine's own data.
enum AddressKnowledge {
    /// - Parameter isListed: whether /etc/hosts has it.
    case name(HostName, isListed: Bool = false)
    /// The address has no name.
    case none
    case unknown
    /// /etc/hosts could not be opened for now.
    case tryAgain
}
