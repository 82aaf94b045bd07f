// Relayed sockets: theory of operation
//
// A datagram socket is relayed from its first datagram or connect(2) to a destination behind a proxy, or to a name
// server in whose place the library answers. Its record (`RelayedSocket`) lies in a slot of the table that the process
// tree shares (`RelayedSockets`), under the socket's cookie, whichever descriptors and processes have the socket. Each
// record has a lock, held for one look or one send and never during a wait; for the order of locks see ARCHITECTURE.md,
// "Locks and their order". As in Pending, a process works on a private copy, and checks the shared words.
//
// Out. `SendTo` decides once on a datagram, and `OutgoingDatagram` goes on with the decision: it makes sure of an
// association, writes the UDP request header (RFC 1928 section 7), and C sends header and data in one call, without a
// copy of the data. While the association opens, a blocking sender waits for it; a datagram of another one waits in the
// slot's queue (`DatagramQueue`). A datagram that is longer than the configured size goes in fragments.
//
// Association. Its control connection is an internal connection, made when there is something to send, by the process
// that sends. All processes with the socket use the relay; the association ends with its control connection. A sender
// checks now and then whether that is still there, and opens the association anew if it is not. A refused association
// is remembered for some seconds (`AssociationRefusal`), so that programs learn at once that there is no UDP.
//
// The kernel's peer (`kernelPeer`). A socket that the program has connected is connected in the kernel as well: to the
// proxy's address before there is a relay, then to the relay, to itself for a name server, or to a port that nobody has,
// so that the kernel reports a refusal as of a closed port. getpeername(2) shows the program's own peer.
//
// In. The relay's datagrams arrive with a header. C compares it with the one that is expected, and takes it off; any
// other header is read here (`decapsulate`). A datagram is accepted from the relay, from the socket itself (answers in
// place of a name server), and from places that the program reaches directly, if a connected socket may hear them.
//
// Direct. The source of a datagram that came directly is remembered for a while (`DirectDatagrams`): its answer goes
// directly as well. A datagram socket without a record pays one load and a branch.
//
// Name servers. A question to port 53 is answered in the server's place (`NameServerDatagrams`), from the table of names
// or by a DNS transaction through the proxies; the socket sends the answer to itself. `Questions` limits how many are
// under way at a time.

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
