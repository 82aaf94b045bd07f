import CGSSAPI
import CKernel
import ProxyConfig
import SOCKS5

/// A security context with one proxy, and the messages that are on their way through it (RFC 1961).
///
/// It lies in a mapping of its own, with room for one incoming message behind it.
struct SecurityLayer {
    var context: gssapi_context?
    let protection: GSSAPIProtection
    var stage = Stage.initializing

    /// The progress of the context.
    enum Stage {
        /// The mechanism has to take the proxy's token, if there is one, and make the client's.
        case initializing
        case sendingToken(isLast: Bool)
        /// `isLast`: of a context that needs none any more, which then is empty (RFC 1961 section 3.6).
        case receivingToken(isLast: Bool)
        case sendingProtection
        case receivingProtection
        /// Messages are encapsulated.
        case established
    }

    // MARK: Incoming

    /// Room for `SecurityMessage.longest` bytes.
    let incoming: UnsafeMutableRawBufferPointer
    /// Bytes of the present message that are there.
    var received = 0
    /// Whether the last byte of a complete message is still in the socket, so that the kernel reports the socket as
    /// readable as long as there are unread bytes.
    var isLastByteKept = false

    /// The length of the present message as far as it is known: its head, all of it.
    var wanted: Int {
        if received < SecurityMessage.headLength { return SecurityMessage.headLength }
        return SecurityMessage.headLength + Int(incoming[2]) << 8 + Int(incoming[3])
    }

    var isReceived: Bool { received >= SecurityMessage.headLength && received == wanted }

    /// The token of a complete message.
    var token: gssapi_buffer {
        let head = SecurityMessage.headLength
        return gssapi_buffer(length: max(received - head, 0), value: incoming.baseAddress.map { $0 + head })
    }

    // MARK: Decapsulated bytes

    /// Bytes that the program before has left unread, which come before the messages; a mapping.
    private var inherited = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var inheritedOffset = 0
    /// Decapsulated messages, the oldest at `first`; the mechanism has allocated them.
    private var messages = InlineArray<16, gssapi_buffer>(repeating: gssapi_buffer())
    private var first = 0
    private var messageCount = 0
    /// Bytes of the oldest message that were read.
    private var offset = 0
    /// Bytes that were not read yet.
    private(set) var unread = 0

    /// Whether there is room for another message.
    var takesMessages: Bool { messageCount < messages.count }

    mutating func append(_ message: gssapi_buffer) {
        guard message.length > 0, takesMessages else {
            var message = message
            return gssapi_release(&message)
        }
        messages[(first + messageCount) % messages.count] = message
        messageCount += 1
        unread += message.length
    }

    /// Copies unread bytes from `skipped` on; returns how many.
    func copy(to room: UnsafeMutableRawBufferPointer, skipping skipped: Int = 0) -> Int {
        let left = inherited.count - inheritedOffset
        var copied = min(max(left - skipped, 0), room.count)
        if copied > 0 {
            let start = inheritedOffset + skipped
            UnsafeMutableRawBufferPointer(rebasing: room[..<copied]).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: inherited[start..<start + copied]))
        }
        var skipped = max(skipped - left, 0) + offset
        for index in 0..<messageCount {
            let message = messages[(first + index) % messages.count]
            let count = min(message.length - min(skipped, message.length), room.count - copied)
            if count > 0, let start = message.value {
                UnsafeMutableRawBufferPointer(rebasing: room[copied..<copied + count]).copyMemory(
                    from: UnsafeRawBufferPointer(start: start + skipped, count: count))
                copied += count
            }
            skipped = max(skipped - message.length, 0)
        }
        return copied
    }

    /// Forgets this many unread bytes.
    mutating func drop(_ count: Int) {
        var left = min(count, unread)
        unread -= left
        let dropped = min(left, inherited.count - inheritedOffset)
        inheritedOffset += dropped
        left -= dropped
        if inherited.count > 0, inheritedOffset == inherited.count { discardInherited() }
        while left > 0 {
            let rest = messages[first].length - offset
            guard left >= rest else {
                offset += left
                return
            }
            left -= rest
            gssapi_release(&messages[first])
            first = (first + 1) % messages.count
            messageCount -= 1
            offset = 0
        }
    }

    /// Has `read` fill room for this many bytes, which then are unread. False without memory, or if it fails.
    mutating func inherit(_ count: Int, _ read: (UnsafeMutableRawBufferPointer) -> Bool) -> Bool {
        guard count > 0 else { return true }
        let mapped = kernel_map(count)
        guard mapped >= 0, let start = UnsafeMutableRawPointer(bitPattern: mapped) else { return false }
        inherited = UnsafeMutableRawBufferPointer(start: start, count: count)
        unread = count
        return read(inherited)
    }

    private mutating func discardInherited() {
        if let start = inherited.baseAddress { kernel_unmap(start, inherited.count) }
        inherited = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        inheritedOffset = 0
    }

    // MARK: Outgoing

    /// The message that is being sent: its head, and its token.
    var outgoingHead = InlineArray<4, UInt8>(repeating: 0)
    var outgoing = gssapi_buffer()
    private var isOutgoingOwn = false
    /// Bytes of it that were sent.
    var sent = 0

    var isSending: Bool { outgoing.value != nil && sent < SecurityMessage.headLength + outgoing.length }

    /// Begins to send a token that the mechanism has allocated.
    mutating func send(_ token: gssapi_buffer, _ kind: SecurityMessage.Kind) {
        releaseOutgoing()
        outgoing = token
        outgoingHead = SecurityMessage.head(kind, length: token.length)
        sent = 0
    }

    /// Begins to send a level as it is.
    mutating func send(plain level: UInt8) {
        releaseOutgoing()
        // Behind the longest message.
        guard let end = incoming.baseAddress.map({ $0 + SecurityMessage.longest }) else { return }
        end.storeBytes(of: level, as: UInt8.self)
        outgoing = gssapi_buffer(length: 1, value: end)
        isOutgoingOwn = true
        outgoingHead = SecurityMessage.head(.protection, length: 1)
        sent = 0
    }

    mutating func releaseOutgoing() {
        if !isOutgoingOwn { gssapi_release(&outgoing) }
        outgoing = gssapi_buffer()
        isOutgoingOwn = false
    }

    // MARK: Making and ending

    private static var size: Int {
        (MemoryLayout<SecurityLayer>.stride + SecurityMessage.longest + 1 + 4095) / 4096 * 4096
    }

    /// nil when there is no memory.
    static func make(_ protection: GSSAPIProtection) -> UnsafeMutablePointer<SecurityLayer>? {
        let mapped = kernel_map(size)
        guard mapped >= 0, let start = UnsafeMutableRawPointer(bitPattern: mapped) else { return nil }
        let layer = start.bindMemory(to: SecurityLayer.self, capacity: 1)
        layer.initialize(
            to: SecurityLayer(
                protection: protection,
                incoming: UnsafeMutableRawBufferPointer(
                    start: start + MemoryLayout<SecurityLayer>.stride, count: SecurityMessage.longest)))
        return layer
    }

    private init(protection: GSSAPIProtection, incoming: UnsafeMutableRawBufferPointer) {
        self.protection = protection
        self.incoming = incoming
    }

    static func discard(_ layer: UnsafeMutablePointer<SecurityLayer>) {
        layer.pointee.drop(.max)
        layer.pointee.releaseOutgoing()
        gssapi_delete(&layer.pointee.context)
        kernel_unmap(layer, size)
    }
}
