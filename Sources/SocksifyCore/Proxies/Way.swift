import ProxyConfig

/// A chain for a connection, and the place of its first proxy that the socket connects to.
struct Way {
    let chain: Chain
    let hop: HopPlace
}
