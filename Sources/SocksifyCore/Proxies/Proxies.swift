import ProxyConfig

/// The proxies of the configuration with their state: addresses, failures, round-robin positions and isolation
/// credentials.
///
/// Not copyable: a copy would change the reference counts of everything in the configuration.
struct Proxies: ~Copyable {
    let configuration: Configuration
    /// The positions of the deciding lines and options.
    let places: DecisionPlaces
    let proxyAddresses: ProxyAddresses
    let health: ProxyHealth
    let cursors: RoundRobinCursors
    let isolation: StreamIsolation
}

extension Proxies {
    /// Whether datagrams can go through a chain of the list. Asked here, where the configuration is not copied for it.
    func carryDatagrams(throughList list: Int) -> Bool {
        configuration.carriesDatagrams(throughList: list)
    }
}
