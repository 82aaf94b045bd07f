import Addressing
import CPreload
import SOCKS5
import SharedTables

/// A datagram socket that is relayed.
struct RelayedSocket {
    /// The last descriptor that the program named it by, in the process that made the record.
    var descriptor: Int32
    private(set) var process: Int32
    /// How often that process had forked.
    private(set) var forks: UInt32
    /// AF_INET or AF_INET6
    let domain: Int32
    /// What the program has connected it to, which the kernel does not know of.
    var peer: Peer?
    /// Where the kernel has it connected to.
    var kernelPeer = KernelPeer.none
    /// The socket's own address, to which the library's answers are sent, from the socket itself.
    var ownAddress: SocketAddress?
    var association = Association()
    var way = WayOptions()
    /// Whether the program sends nothing more (shutdown(2)). The kernel learns of it when nothing waits to be sent.
    var isShut = false
    /// Whether the program has closed it, and the descriptor is the library's own.
    var isLingering = false
    var names = NamedDestinations()
    /// Whether it had a port before anything was sent through the proxy: others may know it, as they know a server's, and
    /// are heard.
    var hadPort = false
    /// Whether it was told that a datagram should have gone through another list than the association's.
    var isOtherListTold = false
    /// Bytes of the longest header that is expected before a datagram.
    private(set) var expectedHeader: UInt16 = 10
    /// The header of what goes to the peer, and comes from it, while the kernel has the socket connected to the relay; 0
    /// bytes when there is none, or it has a name.
    private(set) var peerHeaderLength: UInt16 = 0
    private(set) var peerHeader = InlineArray<22, UInt8>(repeating: 0)

    struct Peer {
        var address: SocketAddress
        var destination: Datagram.Destination
        /// The list that leads there: its index in `Configuration.lists`.
        var list: Int
    }

    enum KernelPeer: UInt8 {
        case none
        /// The proxy, for want of a relay: so the socket has an address of this machine, and nothing comes in.
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

    /// The record is the calling process'.
    mutating func isMade(by descriptor: Int32) {
        self.descriptor = descriptor
        process = process_own_id()
        forks = process_forks()
    }

    /// A thread ended in the middle of a change. What the program has said is written at once; the way to the proxy is
    /// made anew.
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
        // From a name the answer may come with an IPv6 address.
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

    /// An address in the form that this socket's calls take and give; nil for one that it has no form for.
    func form(of address: SocketAddress) -> SocketAddress? {
        address.inFamily(of: .unspecified(domain))
    }
}
