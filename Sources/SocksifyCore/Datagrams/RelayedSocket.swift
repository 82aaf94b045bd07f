import Addressing
import CPreload
import SOCKS5
import SharedTables

/// A datagram socket that is relayed.
struct RelayedSocket {
    /// Its last known descriptor, in the process that made the record.
    var descriptor: Int32
    private(set) var process: Int32
    /// The number of forks of that process.
    private(set) var forks: UInt32
    /// AF_INET or AF_INET6
    let domain: Int32
    /// The program's peer, which the kernel does not know.
    var peer: Peer?
    /// The kernel's peer.
    var kernelPeer = KernelPeer.none
    /// The socket's own address, to which the library's answers are sent, from the socket itself.
    var ownAddress: SocketAddress?
    var association = Association()
    var way = WayOptions()
    /// Whether the program sends nothing more (shutdown(2)). The kernel is told once no datagram waits to be sent.
    var isShut = false
    /// Whether the program has closed the socket, and the descriptor is the library's own.
    var isLingering = false
    var names = NamedDestinations()
    /// Whether it had a port before anything was sent through the proxy: others may know the port, as they know a
    /// server's, and their datagrams are received.
    var hadPort = false
    /// Whether the log says that a datagram needed another list than the association's.
    var isOtherListTold = false
    /// The longest expected header, in bytes.
    private(set) var expectedHeader: UInt16 = 10
    /// The header to and from the program's peer, while the kernel's peer is the relay; empty if there is none, or the
    /// peer is a name.
    private(set) var peerHeaderLength: UInt16 = 0
    private(set) var peerHeader = InlineArray<22, UInt8>(repeating: 0)

    struct Peer {
        var address: SocketAddress
        var destination: Datagram.Destination
        /// The index in `Configuration.lists` of the list that leads there.
        var list: Int
    }

    enum KernelPeer: UInt8 {
        case none
        /// The proxy, before there is a relay: so the socket has an address of this machine, and receives nothing.
        case proxy
        case relay
        /// The socket itself.
        case own
        /// A closed loopback port: its ICMP error (udp(7), ECONNREFUSED) wakes waiting calls, and tells them that the
        /// proxy does not carry the socket's datagrams.
        case nobody
    }

    init(descriptor: Int32, domain: Int32) {
        self.init(descriptor: descriptor, process: process_own_id(), forks: process_forks(), domain: domain)
    }

    init(descriptor: Int32, process: Int32, forks: UInt32, domain: Int32) {
        self.descriptor = descriptor
        self.process = process
        self.forks = forks
        self.domain = domain
    }

    /// Makes the record the calling process' own.
    mutating func isMade(by descriptor: Int32) {
        self.descriptor = descriptor
        process = process_own_id()
        forks = process_forks()
    }

    /// Repairs a record whose lock owner ended in the middle of a change. What the program has said is written at once;
    /// the way to the proxy is made anew.
    mutating func isHalfChanged() {
        association.closeControl()
        association = Association()
        names.forgetAll()
    }

    /// Keeps the header for the program's peer while the kernel's is the relay; nil if there is none.
    mutating func setPeerHeader(for destination: Datagram.Destination?) {
        peerHeaderLength = 0
        guard case .address(let address, let port) = destination else { return }
        let header = DatagramHeader(address: address, port: port)
        let bytes = header.bytes
        for index in 0..<min(bytes.count, peerHeader.count) { peerHeader[index] = bytes[index] }
        peerHeaderLength = UInt16(truncatingIfNeeded: bytes.count)
        expect(headerLength: bytes.count)
    }

    /// Expects headers of this length in bytes. After a shorter one the data are moved; a longer one spills data behind
    /// the end of the program's, into the rest of its buffer.
    mutating func expect(headerLength: Int) {
        expectedHeader = max(expectedHeader, UInt16(truncatingIfNeeded: headerLength))
    }

    /// The same for the answer to a datagram whose header had this length in bytes.
    mutating func expectAnswer(from destination: Datagram.Destination, headerLength: Int) {
        expect(headerLength: headerLength)
        // The answer of a name may come with an IPv6 address.
        if case .name = destination { expect(headerLength: peerHeader.count) }
    }

    /// Where the header lies.
    static func peerHeader(of record: UnsafeMutablePointer<RelayedSocket>) -> UnsafePointer<UInt8>? {
        withUnsafeMutableBytes(of: &record.pointee.peerHeader) { bytes in
            bytes.baseAddress.map { UnsafePointer($0.assumingMemoryBound(to: UInt8.self)) }
        }
    }

    /// Whether another process or descriptor may have the socket too.
    func mayHaveOthers(_ descriptor: Int32) -> Bool {
        process != process_own_id() || forks != process_forks()
            || descriptor_mark(descriptor) & UInt32(DESCRIPTOR_DUPLICATED) != 0
    }

    /// The address in the form that this socket's calls take and give; nil if there is none.
    func form(of address: SocketAddress) -> SocketAddress? {
        address.inFamily(of: .unspecified(domain))
    }
}
