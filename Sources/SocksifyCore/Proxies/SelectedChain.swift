import ProxyConfig

/// A chain for a connection, and the address of its first proxy.
struct SelectedChain {
    let chain: Chain
    let hop: ProxyLocation
}
