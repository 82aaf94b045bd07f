import CKernel

/// The answer to a lookup of a name from this machine's own data.
enum NameKnowledge {
    /// The addresses; there may be none of the requested family.
    case addresses(ResolvedAddresses)
    /// The name is not found.
    case none
    case unknown
    /// Descriptors or memory were missing to open /etc/hosts.
    case short(Errno)
}
