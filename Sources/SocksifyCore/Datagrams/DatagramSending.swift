import Addressing
import CPreload
import ProxyConfig
import SOCKS5

/// Datagrams that go out by a relayed socket.
extension Datagram {
    /// What becomes of a datagram that is to be sent.
    public enum Sending {
        /// Not relayed: libc sends it as it is.
        case pass
        /// libc sends it without address and without MSG_FASTOPEN: the socket is a connected stream.
        case unaddressed
        /// It goes direct, by the device and mark in the encapsulation.
        case byWay
        /// It goes to the relay, with the header in the encapsulation.
        case encapsulated
        /// Already sent, answered or queued.
        case taken
        case failed(Errno)
    }

    /// Sends a datagram that has its header in fragments, if it is longer than the proxy wants. It is changed meanwhile.
    static func sendFragments(
        of datagram: UnsafeMutableRawBufferPointer, headerLength: Int, _ limit: Int, _ socket: Socket,
        _ record: UnsafeMutablePointer<RelayedSocket>
    ) throws(Errno) {
        guard let start = datagram.baseAddress,
            let fragments = Fragmentation(of: datagram.count - headerLength, limit: limit)
        else { throw Errno(EMSGSIZE) }
        for fragment in fragments {
            // The header stands before each fragment in turn, where what was sent already stood.
            let position = start + fragment.range.lowerBound
            if fragment.range.lowerBound > 0 {
                let before = start + (fragment.range.lowerBound - limit)
                position.copyMemory(from: before, byteCount: headerLength)
            }
            position.storeBytes(of: fragment.number, toByteOffset: 2, as: UInt8.self)
            try record.pointee.sendToRelay(
                UnsafeRawBufferPointer(start: position, count: headerLength + fragment.range.count), socket)
        }
    }

    /// Sends a datagram that has waited for the association.
    static func sendQueued(
        _ datagram: UnsafeMutableRawBufferPointer, _ socket: Socket, _ record: UnsafeMutablePointer<RelayedSocket>,
        _ datagrams: UnsafePointer<Datagrams>
    ) {
        let bytes = UnsafeRawBufferPointer(datagram).bindMemory(to: UInt8.self)
        guard let limit = datagrams.pointee.configuration.udpFragmentSize,
            let header = DatagramHeader.read(Span(_unsafeElements: bytes)), datagram.count - header.length > limit
        else {
            try? record.pointee.sendToRelay(UnsafeRawBufferPointer(datagram), socket)
            return
        }
        try? sendFragments(of: datagram, headerLength: header.length, limit, socket, record)
    }
}

extension RelayedSocket {
    /// Sends a datagram that has its header to the relay.
    func sendToRelay(_ datagram: UnsafeRawBufferPointer, _ socket: Socket) throws(Errno) {
        var address: SocketAddress?
        if case .relay = kernelPeer {} else { address = association.relay }
        try socket.sendDatagram(datagram, to: address)
    }
}
