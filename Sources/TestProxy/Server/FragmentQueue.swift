import NIOCore

/// Puts the fragments of a client's datagram together (RFC 1928, section 7).
///
/// Fragments must arrive in the order of their numbers. Another datagram ends the sequence and drops its fragments.
/// There is no timer: the next sequence drops an incomplete one.
struct FragmentQueue {
    /// The fragments so far, FRAG being that of the last; nil: none.
    private var sequence: Datagram?

    /// Takes the next datagram. Returns a whole datagram as it is, and the reassembled one after its last fragment.
    mutating func add(_ datagram: Datagram) -> Datagram? {
        guard datagram.fragment != 0 else {
            sequence = nil
            return datagram
        }
        let number = datagram.fragment & 0x7f
        if number == 1 {
            sequence = datagram
        } else if var begun = sequence, begun.endpoint == datagram.endpoint, begun.fragment + 1 == number {
            begun.fragment = number
            begun.payload.writeImmutableBuffer(datagram.payload)
            sequence = begun
        } else {
            sequence = nil
        }
        guard datagram.fragment & 0x80 != 0, var whole = sequence else { return nil }
        sequence = nil
        whole.fragment = 0
        return whole
    }
}
