import ProxyConfig

/// The proxies of the configuration, with what is known of them: their addresses, which of them have failed, how far
/// lists are gone through, and the credentials that keep connections apart.
///
/// It cannot be copied: each call would count references to everything in the configuration.
struct Proxies: ~Copyable {
    let configuration: Configuration
    /// Where that stands which decides.
    let places: DecisionPlaces
    let firstHops: FirstHops
    let health: ProxyHealth
    let turns: ListTurns
    let isolation: IsolationName
}

extension Proxies {
    /// Whether datagrams can go through a chain of the list. Asked here, where the configuration is not copied for it.
    func carryDatagrams(throughList list: Int) -> Bool {
        configuration.carriesDatagrams(throughList: list)
    }
}
