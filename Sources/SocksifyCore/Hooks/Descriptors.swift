import Addressing
import CPreload
import SharedTables

/// Descriptors that are closed or replaced.
public enum Descriptors {
    /// The descriptor is about to be closed or replaced: no connection continues under its number.
    public static func end(_ descriptor: Int32) {
        // A connection is known by this number alone; a duplicate needs no look.
        if descriptor_mark(descriptor) & UInt32(DESCRIPTOR_PENDING) != 0, descriptor_may_be_pending(descriptor) != 0,
            let runtime = Runtime.existing,
            case .entered(var pending) = PendingHandle.of(descriptor, runtime.pointee.connections)
        {
            if pending.mayHaveOthers { pending.end(descriptor) } else { pending.remove() }
            pending.leave()
        }
        if descriptor_may_be_encapsulated(descriptor) != 0, let runtime = Runtime.existing,
            let cookie = Socket(descriptor: descriptor).cookie,
            MarkedDescriptors(marks: UInt32(DESCRIPTOR_ENCAPSULATED), cookie: cookie).first(except: descriptor) == nil
        {
            runtime.pointee.connections.pointee.streams.remove(cookie: cookie)
        }
        if descriptor_may_be_relayed(descriptor) != 0, let runtime = Runtime.existing {
            runtime.pointee.relayed.end(descriptor, runtime.pointee.datagrams)
        }
    }

    /// Whether the descriptor is the library's own.
    public static func isOwn(_ descriptor: Int32) -> Bool {
        guard let runtime = Runtime.existing else { return false }
        if runtime.pointee.relayed.isControl(descriptor) { return true }
        guard case .entered(let pending) = PendingHandle.of(descriptor, runtime.pointee.connections) else {
            return false
        }
        defer { pending.leave() }
        return pending.record.pointee.role.isInternal
    }

    /// The program takes the number of one of the library's own descriptors. An established control connection
    /// continues under another number; a pending one ends, and is made again when needed.
    public static func moveOwn(_ descriptor: Int32) {
        guard process_is_own() != 0, let runtime = Runtime.existing else { return }
        runtime.pointee.relayed.moveControl(descriptor)
    }

    /// Before a program is executed, which knows nothing of pending connections and would write into a handshake.
    ///
    /// If it replaces this process, waits for the connections whose sockets it will have. If it runs beside this
    /// process, which continues them, tells it that they are pending.
    public static func prepareToHandOn(takesPlace: Bool) {
        guard process_is_confined() == 0, let runtime = Runtime.existing else { return }
        if takesPlace, process_is_own() != 0 {
            forEachEncapsulated { descriptor in
                if kernel_is_inherited(descriptor) != 0 { runtime.pointee.handover.leave(descriptor) }
            }
        }
        let table = runtime.pointee.pendingTable
        for slot in 0..<table.slots.end {
            guard let pending = PendingHandle.at(slot, runtime.pointee.connections) else { continue }
            let record = pending.record
            let isHandedOn =
                pending.hasSocket && pending.standing == .underWay && !record.pointee.role.isInternal
                && isInherited(pending.socket)
            let waits = takesPlace && record.pointee.isOwn && process_is_own() != 0
            let (descriptor, cookie) = (pending.socket.descriptor, record.pointee.cookie)
            pending.leave()
            if isHandedOn && waits {
                _ = Stream.prepareToSend(descriptor: descriptor)
            } else if isHandedOn {
                runtime.pointee.sockets.insert(failure: 0, cookie: cookie)
            }
        }
    }

    /// The program goes on, and with it its encapsulated streams.
    public static func wasNotReplaced() {
        guard process_is_own() != 0, let runtime = Runtime.existing else { return }
        forEachEncapsulated { runtime.pointee.handover.take($0) }
    }

    /// libc's streams of standard input, output and error would write past the encapsulation: they get the end of a
    /// connection.
    private static func replaceByEnded(_ descriptor: Int32) {
        let made = Socket.make(AF_UNIX)
        if made >= 0 {
            Socket(descriptor: made).shutDown()
            _ = kernel_redirect(descriptor, made)
            _ = kernel_close(made)
        } else {
            _ = kernel_close(descriptor)
        }
    }

    private static func forEachEncapsulated(_ body: (Int32) -> Void) {
        for descriptor in 0..<descriptor_end()
        where descriptor_mark(descriptor) & UInt32(DESCRIPTOR_ENCAPSULATED) != 0 {
            body(descriptor)
        }
    }

    /// Whether the executed program will have the socket.
    private static func isInherited(_ socket: Socket) -> Bool {
        if kernel_is_inherited(socket.descriptor) != 0 { return true }
        guard descriptor_mark(socket.descriptor) & UInt32(DESCRIPTOR_DUPLICATED) != 0, let cookie = socket.cookie
        else { return false }
        var isInherited = false
        MarkedDescriptors(marks: UInt32(DESCRIPTOR_DUPLICATED), cookie: cookie).visit { descriptor in
            isInherited = kernel_is_inherited(descriptor) != 0
            return !isInherited
        }
        return isInherited
    }

    /// The program has started with descriptors that may have such sockets.
    public static func adopt() {
        guard let folder = Directory(cString("/proc/self/fd")) else { return }
        defer { folder.close() }
        folder.forEachName { name in
            var number: Int32 = 0
            let text = bytes(of: name)
            for index in text.indices {
                guard let digit = decimalDigit(text[index]) else { return }
                number = number &* 10 &+ Int32(digit)
            }
            received(number)
        }
    }

    /// A descriptor came from another process, or from the program before exec(3): its socket may be relayed there, or
    /// a substitute.
    ///
    /// A connection that has failed there fails here, too; so does a pending one, as long as it is pending there.
    ///
    /// A process under its own seccomp filter does not ask (see `Preparation`).
    public static func received(_ descriptor: Int32) {
        guard process_is_confined() == 0 else { return }
        let socket = Socket(descriptor: descriptor)
        if socket.isStream {
            descriptor_set_mark(descriptor, UInt32(DESCRIPTOR_OPTIONS))
            guard let runtime = Runtime.ofTree, let cookie = socket.cookie else { return }
            if let failure = runtime.pointee.sockets.failure(cookie: cookie) {
                let errno = failure == 0 ? nil : Errno(failure)
                runtime.pointee.pendingTable.add(
                    failure: errno, descriptor, cookie: cookie, runtime.pointee.connections)
            }
            if runtime.pointee.sockets.isEncapsulated(cookie: cookie) {
                relayed_begin()
                descriptor_set_mark(descriptor, UInt32(DESCRIPTOR_ENCAPSULATED))
                runtime.pointee.handover.take(descriptor)
                if descriptor <= STDERR_FILENO { replaceByEnded(descriptor) }
            }
            if runtime.pointee.originals.socket(cookie: cookie) != nil {
                descriptor_set_mark(descriptor, UInt32(DESCRIPTOR_SUBSTITUTE | DESCRIPTOR_DUPLICATED))
            } else if runtime.pointee.sockets.peer(cookie: cookie) != nil {
                descriptor_set_mark(descriptor, UInt32(DESCRIPTOR_MIXED))
            }
            return
        }
        guard socket.isDatagram, socket.isInternet else { return }
        descriptor_set_mark(descriptor, UInt32(DESCRIPTOR_OPTIONS))
        guard case .ready(let runtime) = Runtime.state,
            let cookie = socket.cookie, let slot = runtime.pointee.relayed.slot(ofCookie: cookie)
        else { return }
        runtime.pointee.relayed.receive(descriptor, slot)
    }
}
