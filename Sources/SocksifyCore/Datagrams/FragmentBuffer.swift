import CPreload
import SOCKS5

/// Where the fragments of a relayed socket's datagrams are joined (RFC 1928 section 7). In memory of the process' own;
/// used under the lock of the socket's record.
struct FragmentBuffer {
    /// The `Reassembly`, then its memory, then one fragment.
    let memory: UnsafeMutableRawPointer

    private static var joinedOffset: Int { 64 }
    private static var fragmentOffset: Int { joinedOffset + Reassembly.capacity }
    private static var size: Int { fragmentOffset + Reassembly.capacity }

    /// nil when there is no memory.
    static func make() -> FragmentBuffer? {
        guard let memory = Mapping(size)?.start else { return nil }
        memory.bindMemory(to: Reassembly.self, capacity: 1).initialize(to: Reassembly())
        return FragmentBuffer(memory: memory)
    }

    func unmap() { Mapping(memory, FragmentBuffer.size).unmap() }

    /// What was joined last.
    var start: UnsafePointer<UInt8> {
        UnsafeRawPointer(memory + FragmentBuffer.joinedOffset).assumingMemoryBound(to: UInt8.self)
    }

    /// Takes a fragment; returns the length of the datagram that it completes, header included. The last one
    /// comes again if it was only looked at (MSG_PEEK); the caller has removed the others.
    func join(_ datagram: UnsafePointer<udp_received>, _ header: DatagramHeader.Received) -> Int? {
        let fragment = memory + FragmentBuffer.fragmentOffset
        let room = UnsafeMutableRawBufferPointer(
            start: fragment, count: min(datagram.pointee.kept, Reassembly.capacity))
        let length = MessageParts(datagram.pointee.parts, count: datagram.pointee.parts_count).copy(to: room)
        // A part of a fragment would be taken for all of it.
        guard length == datagram.pointee.length else { return nil }
        let bytes = Span(_unsafeStart: UnsafeRawPointer(fragment).assumingMemoryBound(to: UInt8.self), count: length)
        let joined = UnsafeMutableRawBufferPointer(
            start: memory + FragmentBuffer.joinedOffset, count: Reassembly.capacity)
        let reassembly = memory.assumingMemoryBound(to: Reassembly.self)
        let before = reassembly.pointee
        guard case .joined(let whole) = reassembly.pointee.receive(bytes, header, in: joined, at: Clock.now) else {
            return nil
        }
        if datagram.pointee.flags & Int32(MSG_PEEK) != 0 { reassembly.pointee = before }
        return whole
    }
}
