import ProxyConfig

/// What a process needs for datagrams.
struct Datagrams: ~Copyable {
    let connections: UnsafePointer<Connections>
    let relayed: RelayedSockets
    let direct: DirectDatagrams

    var names: Names { _read { yield connections.pointee.names } }
    var proxies: Proxies { _read { yield connections.pointee.names.proxies } }
    var configuration: Configuration { _read { yield connections.pointee.names.proxies.configuration } }
    var proxyAddresses: ProxyAddresses { connections.pointee.proxyAddresses }
    var pendingTable: PendingTable { connections.pointee.pendingTable }
}
