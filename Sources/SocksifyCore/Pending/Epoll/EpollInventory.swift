import Addressing
import CPreload
import SharedTables

/// What the program's epolls watch: as it was seen when it was asked for, or as the kernel tells it in
/// /proc/self/fdinfo, which is exact, and slow where an epoll watches thousands.
struct EpollInventory {
    private let connections: UnsafePointer<Connections>

    init(_ connections: UnsafePointer<Connections>) {
        self.connections = connections
    }

    /// Takes over the registrations of a socket that is about to connect.
    func adoptRegistrations(of pending: PendingHandle) {
        forEachRegistration(of: pending.socket) { pending.adopt($0, by: $1) }
    }

    /// Calls `body` with each registration of a socket, and its epoll.
    func forEachRegistration(of socket: Socket, _ body: (EpollRegistration, Int32) -> Void) {
        let descriptor = socket.descriptor
        var seen = InlineArray<3, watched_registration>(repeating: watched_registration())
        let count = withUnsafeMutableBytes(of: &seen) { bytes in
            let found = bytes.bindMemory(to: watched_registration.self)
            return found.baseAddress.map { watched_registrations(descriptor, $0) } ?? -1
        }
        guard count >= 0, descriptor_mark(descriptor) & UInt32(DESCRIPTOR_DUPLICATED) == 0 else {
            return askEveryEpoll(for: socket, body)
        }
        for index in 0..<min(Int(count), seen.count) {
            let found = seen[index]
            if found.events & EpollEvents.oneShot != 0 {
                // Whether it is used up only the kernel knows.
                ask(found.epoll, for: socket, body)
            } else {
                body(
                    EpollRegistration(target: descriptor, events: found.events, data: found.data), found.epoll)
            }
        }
    }

    private func askEveryEpoll(for socket: Socket, _ body: (EpollRegistration, Int32) -> Void) {
        for descriptor in 0..<descriptor_end()
        where descriptor_mark(descriptor) & UInt32(DESCRIPTOR_EPOLL) != 0 {
            ask(descriptor, for: socket, body)
        }
    }

    private func ask(_ epoll: Int32, for socket: Socket, _ body: (EpollRegistration, Int32) -> Void) {
        let cookie = socket.cookie
        forEachRegistration(with: epoll) { registration in
            guard registration.target == socket.descriptor || Socket(descriptor: registration.target).cookie == cookie
            else { return }
            body(registration, epoll)
        }
    }

    /// Takes over what an epoll watches of all that is pending, if it might not have been seen.
    func audit(_ epoll: Int32) {
        let table = connections.pointee.pendingTable
        guard table.audits.isDue(epoll) else { return }
        forEachRegistration(with: epoll) { registration in
            guard table.marker.slot(of: registration.data) == nil,
                case .entered(let pending) = PendingHandle.of(registration.target, connections)
            else { return }
            if pending.standing == .underWay { pending.adopt(registration, by: epoll) }
            pending.leave()
        }
    }

    /// Notes all that an epoll watches, of which not all was seen: it came from another program.
    func note(_ epoll: Int32) {
        guard process_is_confined() == 0 else { return }
        let marker = connections.pointee.pendingTable.marker
        forEachRegistration(with: epoll) { registration in
            guard marker.slot(of: registration.data) == nil else { return }
            watched_note(registration.target, epoll, registration.events, registration.data)
        }
        descriptor_set_mark(epoll, UInt32(DESCRIPTOR_NOTED_EPOLL))
    }

    private func forEachRegistration(with epoll: Int32, _ body: (EpollRegistration) -> Void) {
        guard var list = RegistrationList(of: epoll) else { return }
        defer { list.close() }
        while let registration = list.next() { body(registration) }
    }
}

/// The lines of /proc/self/fdinfo that tell what an epoll watches.
private struct RegistrationList {
    private let descriptor: Int32
    private var buffer = InlineArray<4096, UInt8>(repeating: 0)
    private var count = 0
    /// Where the line begins that is read next.
    private var start = 0

    /// nil for what is no epoll of the process.
    @inline(never)
    init?(of epoll: Int32) {
        guard epoll >= 0 else { return nil }
        var path = Path()
        path.append("/proc/self/fdinfo/")
        path.append(decimal: Int(epoll))
        descriptor = Int32(truncatingIfNeeded: path.open())
        guard descriptor >= 0 else { return nil }
    }

    func close() {
        _ = kernel_close(descriptor)
    }

    @inline(never)
    mutating func next() -> EpollRegistration? {
        while true {
            for index in start..<count where buffer[index] == UInt8(ascii: "\n") {
                let line = start..<index
                start = index + 1
                if let registration = EpollRegistration(fdinfo: buffer.span.extracting(line)) { return registration }
            }
            guard readMore() else { return nil }
        }
    }

    /// Reads behind the part of a line that is there; false at the end.
    private mutating func readMore() -> Bool {
        // A line that does not fit is none of a registration.
        if start == 0, count == buffer.count { start = count }
        for index in start..<count { buffer[index - start] = buffer[index] }
        count -= start
        start = 0
        let (descriptor, count) = (descriptor, count)
        let received = withUnsafeMutableBytes(of: &buffer) { bytes -> Int in
            guard let start = bytes.baseAddress else { return 0 }
            return kernel_read(descriptor, start + count, bytes.count - count)
        }
        guard received > 0 else { return false }
        self.count += received
        return true
    }
}

/// A path of /proc, and a zero behind it.
private struct Path: ByteSink {
    private var bytes = InlineArray<64, UInt8>(repeating: 0)
    private var length = 0

    mutating func append(_ byte: UInt8) {
        guard length < 63 else { return }
        bytes[length] = byte
        length += 1
    }

    /// The kernel's result: a descriptor, or a negative error number.
    func open() -> Int {
        bytes.span.withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { $0.baseAddress.map { kernel_open_to_read($0) } ?? -1 }
        }
    }
}
