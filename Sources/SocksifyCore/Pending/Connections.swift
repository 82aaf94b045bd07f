import ProxyConfig
import SharedTables

/// What a process needs for connections: where they may lead, those that are under way, and what the process tree knows of
/// those that stand.
struct Connections: ~Copyable {
    let names: Names
    let table: SharedTable
    let pendingTable: PendingTable
    let streams: EncapsulatedStreams
    let refusal: AssociationRefusal
    let owners: InternalConnectionOwners

    var proxies: Proxies { _read { yield names.proxies } }
    var configuration: Configuration { _read { yield names.proxies.configuration } }
    var proxyAddresses: ProxyAddresses { names.proxies.proxyAddresses }
    var health: ProxyHealth { names.proxies.health }
    var isolation: StreamIsolation { names.proxies.isolation }
    var sockets: PeerTable<SharedMemory> { table.sockets }
    var originals: OriginalSockets<SharedMemory> { table.originals }
}
