import CPreload
import SharedTables

/// Calls that read from and write to a stream whose bytes are encapsulated.
public enum EncapsulatedIO {
    /// The result of a call.
    public enum Outcome {
        /// The descriptor is no such stream.
        case pass
        case count(Int)
        case failed(Errno)
    }

    private enum Search {
        case none
        case stream(EncapsulatedStream)
        case refused(Errno)
    }

    /// The stream of a descriptor. One of another process has no context here: nothing may be read from or written to it.
    private static func find(_ descriptor: Int32) -> Search {
        let seen = descriptor_mark(descriptor)
        let socket = Socket(descriptor: descriptor)
        switch socket.identity {
        case .none: break
        case .refused(let errno): return .refused(errno)
        case .socket(let cookie):
            guard let runtime = Runtime.ofTree else { break }
            let streams = runtime.pointee.connections.pointee.streams
            if let entry = streams.find(cookie: cookie) {
                return .stream(EncapsulatedStream(socket: socket, cookie: cookie, streams: streams, entry: entry))
            }
            if runtime.pointee.sockets.isEncapsulated(cookie: cookie) { return .refused(.aborted) }
        }
        descriptor_clear_wrong_marks(descriptor, UInt32(DESCRIPTOR_ENCAPSULATED), seen)
        return .none
    }

    private static func outcome(
        _ descriptor: Int32, _ body: (EncapsulatedStream) throws(Errno) -> Int
    ) -> Outcome {
        switch find(descriptor) {
        case .none: return .pass
        case .refused(let errno): return .failed(errno)
        case .stream(let stream):
            do throws(Errno) {
                return .count(try body(stream))
            } catch {
                return .failed(error)
            }
        }
    }

    /// Receives without waiting.
    ///
    /// - Parameter skipped: bytes of the parts that an earlier step of the call has filled.
    public static func receive(
        _ descriptor: Int32, _ parts: UnsafePointer<iovec>?, count: Int, skipping skipped: Int, flags: Int32
    ) -> Outcome {
        outcome(descriptor) { stream throws(Errno) in
            try stream.receive(
                into: MessageParts(parts, count: count), skipping: skipped, peeks: flags & Int32(MSG_PEEK) != 0,
                discards: flags & Int32(MSG_TRUNC) != 0)
        }
    }

    /// Sends without waiting.
    ///
    /// - Parameters:
    ///   - skipped: bytes of the parts that an earlier step of the call has sent.
    ///   - isUnsent: set if `flush` has to send the rest of a message.
    public static func send(
        _ descriptor: Int32, _ parts: UnsafePointer<iovec>?, count: Int, skipping skipped: Int, isUnsent: inout Bool
    ) -> Outcome {
        var unsent = false
        defer { isUnsent = unsent }
        return outcome(descriptor) { stream throws(Errno) in
            try stream.send(MessageParts(parts, count: count), skipping: skipped, isUnsent: &unsent)
        }
    }

    public static func flush(_ descriptor: Int32) -> Outcome {
        outcome(descriptor) { stream throws(Errno) in
            try stream.flush()
            return 0
        }
    }

    /// FIONREAD
    public static func unread(_ descriptor: Int32) -> Outcome {
        outcome(descriptor) { stream throws(Errno) in try stream.unread() }
    }

    /// The program's value of SO_RCVLOWAT; nil for the kernel's.
    static func lowWater(_ descriptor: Int32) -> Int32? {
        guard descriptor_may_be_encapsulated(descriptor) != 0, case .stream(let stream) = find(descriptor) else {
            return nil
        }
        return stream.entry.pointee.programsLowWater
    }

    /// Sets it; nil where the kernel is to.
    static func setLowWater(_ descriptor: Int32, _ value: UnsafeRawPointer?, _ length: socklen_t) -> HookResult? {
        guard descriptor_may_be_encapsulated(descriptor) != 0, case .stream(let stream) = find(descriptor) else {
            return nil
        }
        guard length >= 4 else { return .failed(.invalidArgument) }
        guard let value, kernel_can_read(value) != 0 else { return .failed(Errno(EFAULT)) }
        stream.setLowWater(value.loadUnaligned(as: Int32.self))
        return .succeeded
    }
}
