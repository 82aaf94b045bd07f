import CPreload
import SOCKS5
import StreamSecurity
import Tunnel

/// A program's stream whose bytes are encapsulated (RFC 1961 section 5), for calls that read and write. Nothing here
/// waits.
///
/// The kernel itself tells when the program can read: SO_RCVLOWAT is the length of what is missing of a message, and the
/// last byte of a message stays in the socket until the program has read all bytes of it. So poll(2), select(2) and
/// epoll(7) need no help, in any process and by any call.
struct EncapsulatedStream {
    let socket: Socket
    let cookie: UInt64
    let streams: EncapsulatedStreams
    let entry: UnsafeMutablePointer<EncapsulatedStreams.Entry>

    static func locks(
        of entry: UnsafeMutablePointer<EncapsulatedStreams.Entry>
    ) -> (receiving: OwnerLock, sending: OwnerLock) {
        withUnsafeMutablePointer(to: &entry.pointee.receiving) { receiving in
            withUnsafeMutablePointer(to: &entry.pointee.sending) { sending in
                (OwnerLock(receiving), OwnerLock(sending))
            }
        }
    }

    private enum Direction { case receiving, sending }

    /// Calls `body` while no other thread goes in the same direction.
    private func locked<Result>(
        _ direction: Direction, _ body: (SecuredStream<KernelStream>) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        let locks = EncapsulatedStream.locks(of: entry)
        let lock = direction == .receiving ? locks.receiving : locks.sending
        switch lock.acquire() {
        case .acquired: break
        // A signal handler has interrupted a call on the same stream: it is not known how far that came.
        case .isOwn: throw .again
        // A thread has ended in the middle of a message.
        case .inherited: entry.pointee.failure = Errno.connectionReset.code
        }
        defer { lock.release() }
        // The entry may belong to another stream by now: a thread has closed this one.
        guard entry.pointee.cookie == cookie, let layers = entry.pointee.layers,
            let use = streams.use(entry, direction == .receiving ? 0 : 1), use.claim()
        else { throw .aborted }
        if entry.pointee.failure != 0 { throw Errno(entry.pointee.failure) }
        return try body(SecuredStream(over: KernelStream(socket: socket), layers))
    }

    // MARK: Receiving

    /// Receives bytes; 0 at the end of the stream. Throws EAGAIN when there are none.
    ///
    /// - Parameters:
    ///   - parts: the program's.
    ///   - skipped: bytes of the parts that are filled already.
    func receive(
        into parts: MessageParts, skipping skipped: Int, peeks: Bool, discards: Bool
    ) throws(Errno) -> Int {
        try locked(.receiving) { (stream) throws(Errno) in
            defer { arm(stream) }
            return peeks
                ? try peek(stream, parts) : try take(stream, parts, skipping: skipped, discards: discards)
        }
    }

    private func take(
        _ stream: SecuredStream<KernelStream>, _ parts: MessageParts, skipping skipped: Int, discards: Bool
    ) throws(Errno) -> Int {
        var (copied, skipped) = (0, skipped)
        for part in parts {
            var room = UnsafeMutableRawBufferPointer(start: part.iov_base, count: part.iov_len)
            let filled = min(skipped, room.count)
            skipped -= filled
            room = UnsafeMutableRawBufferPointer(rebasing: room[filled...])
            while !room.isEmpty {
                let next = UnsafeMutableRawBufferPointer(rebasing: room[..<min(room.count, EncapsulatedStream.step)])
                guard discards || MessageParts.isReadable(UnsafeRawBufferPointer(next)) else {
                    if copied > 0 { return copied }
                    throw Errno(EFAULT)
                }
                do throws(StreamFailure) {
                    guard let count = discards ? try stream.skip(room.count) : try stream.receive(into: next) else {
                        if copied > 0 { return copied }
                        throw StreamFailure.kernel(.again)
                    }
                    guard count > 0 else { return copied }
                    copied += count
                    room = UnsafeMutableRawBufferPointer(rebasing: room[count...])
                } catch {
                    let errno = note(error)
                    if copied > 0 { return copied }
                    throw errno
                }
            }
        }
        return copied
    }

    /// Bytes of the program's memory that are looked at together, before something is copied there.
    private static var step: Int { 65_536 }

    private func peek(_ stream: SecuredStream<KernelStream>, _ parts: MessageParts) throws(Errno) -> Int {
        guard parts.isReadable else { throw Errno(EFAULT) }
        let layers = stream.layers
        do throws(StreamFailure) {
            while layers.pointee.unread == 0 {
                switch try stream.fill() {
                case .message: continue
                case .waiting: throw StreamFailure.kernel(.again)
                case .end: return 0
                }
            }
            let wanted = parts.size
            while layers.pointee.unread < wanted, layers.pointee.takeMessages {
                guard case .message = try stream.fill() else { break }
            }
        } catch {
            throw note(error)
        }
        var copied = 0
        for part in parts {
            let room = UnsafeMutableRawBufferPointer(start: part.iov_base, count: part.iov_len)
            let count = layers.pointee.copy(to: room, skipping: copied)
            copied += count
            if count < room.count { break }
        }
        return copied
    }

    /// Has the kernel report the socket as readable when the program can read.
    private func arm(_ stream: SecuredStream<KernelStream>) {
        let layers = stream.layers.pointee
        let isReadable = layers.unread >= max(Int(entry.pointee.programsLowWater), 1)
        let lowWater = entry.pointee.failure != 0 || isReadable ? 1 : Int32(truncatingIfNeeded: layers.missing)
        guard lowWater != entry.pointee.lowWater else { return }
        entry.pointee.lowWater = lowWater
        socket.setLowWater(lowWater)
    }

    /// Prepares a stream that has just been established.
    func begin() {
        _ = try? locked(.receiving) { (stream) throws(Errno) in arm(stream) }
    }

    /// The bytes that can be read without waiting (FIONREAD).
    func unread() throws(Errno) -> Int {
        try locked(.receiving) { (stream) throws(Errno) in
            defer { arm(stream) }
            do throws(StreamFailure) {
                while stream.layers.pointee.unread == 0 {
                    guard case .message = try stream.fill() else { break }
                }
            } catch {
                _ = note(error)
            }
            return stream.layers.pointee.unread
        }
    }

    /// Writes the contexts for the program that takes the place of this one. False if that is not possible.
    func export(_ write: (UnsafeRawBufferPointer) -> Bool) -> Bool {
        let isExported = try? locked(.sending) { (stream) throws(Errno) in
            try locked(.receiving) { (stream) throws(Errno) in stream.layers.pointee.export(write) }
        }
        return isExported == true
    }

    /// SO_RCVLOWAT of the program.
    func setLowWater(_ value: Int32) {
        _ = try? locked(.receiving) { (stream) throws(Errno) in
            entry.pointee.programsLowWater = max(value, 1)
            arm(stream)
        }
    }

    // MARK: Sending

    /// Sends bytes; returns how many. Throws EAGAIN when the socket takes none.
    ///
    /// - Parameters:
    ///   - skipped: bytes of the parts that are sent already.
    ///   - isUnsent: set if the rest of a message has to be sent by `flush`.
    func send(_ parts: MessageParts, skipping skipped: Int, isUnsent: inout Bool) throws(Errno) -> Int {
        guard parts.isReadable else { throw Errno(EFAULT) }
        var unsent = false
        defer { isUnsent = unsent }
        return try locked(.sending) { (stream) throws(Errno) in
            var gathered = GatheredParts(parts, skipping: skipped, SecurityLayers.scratch(of: stream.layers))
            var sent = 0
            do throws(StreamFailure) {
                guard try stream.flush() else { throw StreamFailure.kernel(.again) }
                while let bytes = gathered.next(limit: SecurityMessage.longestToken) {
                    let room = room
                    guard room > 0 else {
                        if sent > 0 { return sent }
                        throw StreamFailure.kernel(.again)
                    }
                    let some = UnsafeRawBufferPointer(rebasing: bytes[..<min(bytes.count, room)])
                    guard let count = try stream.send(some) else { break }
                    sent += count
                    gathered.drop(count)
                    if stream.layers.pointee.areSending {
                        unsent = true
                        break
                    }
                }
            } catch {
                let errno = note(error)
                if sent > 0 { return sent }
                throw errno
            }
            return sent
        }
    }

    /// Sends the rest of a message. Throws EAGAIN as long as the socket takes no more.
    func flush() throws(Errno) {
        try locked(.sending) { (stream) throws(Errno) in
            do throws(StreamFailure) {
                guard try stream.flush() else { throw StreamFailure.kernel(.again) }
            } catch {
                throw note(error)
            }
        }
    }

    /// Bytes of a message that the socket takes whole; 0 when it is not writable.
    ///
    /// The kernel takes bytes while fewer are queued than SO_SNDBUF allows, and adds to each part less than the other
    /// half of what is free. It reports a socket as writable when a third is free.
    private var room: Int {
        var counts: (limit: UInt32, queued: UInt32) = (0, 0)
        _ = kernel_send_buffer(socket.descriptor, &counts.limit, &counts.queued)
        let (limit, queued) = (Int(counts.limit), Int(counts.queued))
        if limit - queued >= limit / 3 { return (limit - queued) / 2 }
        // Asked so, the kernel tells an edge-triggered epoll when the socket is writable again.
        guard kernel_poll_now(socket.descriptor, POLLOUT) & Int(POLLOUT) != 0 else { return 0 }
        return max((limit - queued) / 2, 1)
    }

    // MARK: Failures

    /// The error of a call. What the proxy has done wrong ends the stream.
    private func note(_ error: StreamFailure) -> Errno {
        switch error {
        case .kernel(let errno): return errno
        case .proxy:
            entry.pointee.failure = Errno.connectionReset.code
            socket.shutDown()
            return .connectionReset
        }
    }
}
