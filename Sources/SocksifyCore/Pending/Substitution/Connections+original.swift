import CPreload
import SharedTables

extension Connections {
    /// The original socket; nil if the program's own has its descriptors.
    @inline(never)
    func original(of socket: Socket) -> OriginalSocket? {
        guard descriptor_may_be_substitute(socket.descriptor) != 0 else { return nil }
        let seen = descriptor_mark(socket.descriptor)
        // A descriptor without a cookie is not a socket.
        var cookie = socket.cookie ?? 0
        for _ in 0..<Connections.longestWriting {
            if let original = originals.socket(cookie: cookie) { return original }
            if originals.isBeingWritten(cookie: cookie) {
                _ = interruptible_sleep(100_000)
                continue
            }
            // A substitute may have taken its descriptors, and the record may be gone.
            let current = socket.cookie ?? 0
            guard current != cookie else {
                descriptor_clear_wrong_marks(socket.descriptor, UInt32(DESCRIPTOR_SUBSTITUTE), seen)
                return nil
            }
            cookie = current
        }
        return nil
    }

    /// How often a record is read again while it is being written: that takes a few stores, unless the writer waits for
    /// its processor.
    private static var longestWriting: Int { 100 }

    /// setsockopt(2) with a routing option on a stream to a proxy: the program means the route to its destination.
    @inline(never)
    func setWay(
        _ option: SocketOption, of socket: Socket, _ value: UnsafeRawPointer?, _ length: socklen_t
    ) -> HookResult {
        guard let cookie = socket.cookie else { return .pass }
        var original = original(of: socket) ?? OriginalSocket(name: .unspecified(socket.domain))
        var way = WayOptions(original)
        let outcome = way.set(option, original.name.domain, value, length)
        guard case .succeeded = outcome else { return outcome }
        let remembered = SocketOptions.remembered(option)
        original.remember(way.value(of: remembered), of: remembered)
        guard originals.insert(original, cookie: cookie) else { return .failed(.outOfBuffers) }
        SubstituteSocket.forEachDescriptor(of: socket, cookie: cookie) { descriptor in
            descriptor_set_mark(descriptor, UInt32(DESCRIPTOR_SUBSTITUTE))
        }
        return .succeeded
    }
}
