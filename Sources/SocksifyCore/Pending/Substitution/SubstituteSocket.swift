import Addressing
import CPreload
import SharedTables

/// Replaces a socket that cannot reach the proxy (another address family, or bound to a device) by one that can, on all
/// descriptors of this process.
///
/// It gets the program's options. A thread in poll(2) on the old socket needs no waking: an unconnected socket is
/// always ready (POLLHUP). A forked process keeps the old one.
struct SubstituteSocket {
    let cookie: UInt64
    private let made: Socket
    /// Whether the program must not see it as it is.
    private let isMarked: Bool

    /// Where the socket will connect to.
    enum End {
        case proxy
        /// The program connects it itself: it is of the program's own kind.
        case destination
    }

    /// Makes a substitute of `domain` for an unconnected socket of the program's.
    @inline(never)
    init(of socket: Socket, by domain: Int32, for end: End, _ connections: UnsafePointer<Connections>) throws(Errno) {
        var original = connections.pointee.original(of: socket) ?? OriginalSocket(name: .unspecified(socket.domain))
        // It may be bound, unless it is a substitute of another family.
        if original.name == .unspecified(socket.domain), socket.isInternet {
            original.name = try SubstituteSocket.boundName(of: socket)
        }
        made = try SubstituteSocket.make(domain)
        do throws(Errno) {
            try SocketOptions.carry(from: socket, to: made, for: end, original: &original)
            kernel_take_over_flags(made.descriptor, socket.descriptor)
            try SubstituteSocket.bind(made, domain, as: original.name, inPlaceOf: socket)
            isMarked = domain != original.name.domain || end == .proxy && SocketOptions.haveWay(original)
            guard let cookie = made.cookie, !isMarked || connections.pointee.originals.insert(original, cookie: cookie)
            else { throw .outOfBuffers }
            self.cookie = cookie
        } catch {
            _ = kernel_close(made.descriptor)
            throw error
        }
    }

    /// Makes a substitute of `domain` for one of the library's own sockets.
    init(ofOwn socket: Socket, by domain: Int32) throws(Errno) {
        isMarked = false
        made = try SubstituteSocket.make(domain)
        kernel_take_over_flags(made.descriptor, socket.descriptor)
        guard let cookie = made.cookie else {
            _ = kernel_close(made.descriptor)
            throw .outOfBuffers
        }
        self.cookie = cookie
    }

    private static func make(_ domain: Int32) throws(Errno) -> Socket {
        let made = Socket.make(domain)
        guard made >= 0 else { throw Errno(result: Int(made)) }
        return Socket(descriptor: made)
    }

    /// Takes the descriptors of the socket.
    ///
    /// If another thread closes one of these descriptors and reuses its number at this moment, it loses the new file:
    /// the kernel replaces whatever a number refers to.
    func take(placeOf socket: Socket) {
        if let former = socket.cookie {
            SubstituteSocket.forEachDescriptor(of: socket, cookie: former) { descriptor in
                let seen = descriptor_mark(descriptor)
                // Mark it before, so that it is never unmarked; and after, because a thread in between may have found
                // the mark wrong.
                if isMarked { descriptor_set_mark(descriptor, UInt32(DESCRIPTOR_SUBSTITUTE)) }
                _ = kernel_redirect(descriptor, made.descriptor)
                if isMarked {
                    descriptor_set_mark(descriptor, UInt32(DESCRIPTOR_SUBSTITUTE))
                } else {
                    descriptor_clear_marks(descriptor, UInt32(DESCRIPTOR_SUBSTITUTE), seen)
                }
            }
        }
        discard()
    }

    func discard() {
        _ = kernel_close(made.descriptor)
    }

    static func forEachDescriptor(of socket: Socket, cookie: UInt64, _ body: (Int32) -> Void) {
        let marks = UInt32(DESCRIPTOR_DUPLICATED)
        if descriptor_mark(socket.descriptor) & marks != 0 {
            MarkedDescriptors(marks: marks, cookie: cookie).visit { descriptor in
                if descriptor != socket.descriptor { body(descriptor) }
                return true
            }
        }
        body(socket.descriptor)
    }

    // MARK: The own address

    /// The address that the program has bound the socket to. The kernel also reports the port of a former attempt; it
    /// refuses to bind a bound socket.
    private static func boundName(of socket: Socket) throws(Errno) -> SocketAddress {
        var name = try socket.name
        guard name.port != 0 else { return name }
        var storage = sockaddr_storage()
        let length = withUnsafeMutableBytes(of: &storage) { SocketAddress.unspecified(name.domain).write(to: $0) }
        guard kernel_bind(socket.descriptor, &storage, socklen_t(length)) == 0 else { return name }
        try socket.disconnect()
        name.port = 0
        return name
    }

    /// Binds the substitute to the address that corresponds to the program's.
    private static func bind(
        _ socket: Socket, _ domain: Int32, as name: SocketAddress, inPlaceOf former: Socket
    ) throws(Errno) {
        // The peer of a Unix-domain connection does not see its address.
        guard domain != AF_UNIX, name.port != 0 || !name.address.isUnspecified else { return }
        guard let address = corresponding(name, domain) else { throw .addressNotAvailable }
        if domain == AF_INET6, name.domain == AF_INET {
            // Else the port would count as taken by the original socket.
            var isOn: Int32 = 1
            _ = kernel_setsockopt(socket.descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &isOn, 4)
        }
        var storage = sockaddr_storage()
        let length = withUnsafeMutableBytes(of: &storage) { address.write(to: $0) }
        // Else an address of the same family would count as taken by the original socket.
        let reuse = SocketOption(SOL_SOCKET, SO_REUSEADDR)
        let (own, formers) = (socket.number(of: reuse) ?? 0, former.number(of: reuse) ?? 0)
        socket.set(1, of: reuse)
        former.set(1, of: reuse)
        let result = kernel_bind(socket.descriptor, &storage, socklen_t(length))
        socket.set(own, of: reuse)
        former.set(formers, of: reuse)
        guard result == 0 else { throw Errno(result: result) }
    }

    private static func corresponding(_ name: SocketAddress, _ domain: Int32) -> SocketAddress? {
        if name.domain == domain { return name }
        var other = SocketAddress.unspecified(domain)
        if name.address.isLoopback {
            other.address = domain == AF_INET6 ? .v6(IPv6Address(high: 0, low: 1)) : .v4(IPv4Address(127, 0, 0, 1))
        } else if !name.address.isUnspecified {
            return nil
        }
        other.port = name.port
        return other
    }
}

// MARK: Pending sockets

extension PendingHandle {
    /// Replaces this connection's socket by a substitute, which continues it.
    @inline(never)
    func substituteSocket(by domain: Int32) throws(Errno) {
        putUserTimeoutBack()
        putOptionsBack()
        defer { borrowOptions() }
        let isOwn = record.pointee.role.isInternal
        let substitute =
            isOwn
            ? try SubstituteSocket(ofOwn: socket, by: domain)
            : try SubstituteSocket(of: socket, by: domain, for: .proxy, connections)
        guard table.slots.add(substitute.cookie, to: slot) else {
            substitute.discard()
            throw .outOfBuffers
        }
        moveRegistrations {
            substitute.take(placeOf: socket)
            record.pointee.cookie = substitute.cookie
        }
        if case .association(let slot, let cookie) = record.pointee.role {
            connections.pointee.owners.moveControl(slot, cookie, socket)
        }
    }
}

extension SubstituteSocket {
    /// A socket that can connect to the first proxy.
    struct Connectable {
        let address: ProxyAddress
        let cookie: UInt64
        /// Set if a substitute has taken its descriptors.
        let registrations: TakenRegistrations?
    }

    /// The family of a socket that is about to connect to `peer`.
    ///
    /// An IPv4 address counts as for an IPv4 socket: the kernel or `connectable` refuses others.
    static func family(
        of socket: Socket, peer: SocketAddress, _ connections: UnsafePointer<Connections>
    ) throws(Errno) -> SocketFamily {
        let original = connections.pointee.original(of: socket)
        if original == nil, peer.domain == AF_INET { return SocketFamily(domain: AF_INET, isIPv6Only: false) }
        let domain = original?.name.domain ?? socket.domain
        // As the kernel refuses an address of another family.
        guard domain == peer.domain else { throw Errno(domain == AF_INET ? EAFNOSUPPORT : EINVAL) }
        guard domain == AF_INET6 else { return SocketFamily(domain: domain, isIPv6Only: false) }
        let only = original?.value(of: SocketOption(Int32(IPPROTO_IPV6), IPV6_V6ONLY)).map { $0 != 0 }
        let isIPv6Only = only ?? socket.isIPv6Only
        if isIPv6Only, peer.address.unmapped != peer.address { throw .networkUnreachable }
        return SocketFamily(domain: domain, isIPv6Only: isIPv6Only)
    }

    /// Makes sure that the socket can reach the proxy's address, and has no route of the program's: else a substitute
    /// takes its descriptors.
    @inline(never)
    static func connectable(
        _ socket: Socket, _ cookie: UInt64, _ family: SocketFamily, to location: ProxyLocation,
        _ connections: UnsafePointer<Connections>
    ) throws(Errno) -> Connectable {
        guard let address = location.address(for: family) else { throw .networkUnreachable }
        let isOwn = connections.pointee.original(of: socket) == nil
        let domain = isOwn ? family.domain : socket.domain
        let hasWay = isOwn && SocketOptions.mayHold(socket) && SocketOptions.haveWay(of: socket)
        if address.domain == domain, !hasWay, domain != AF_UNIX || !socket.isConnected {
            return Connectable(address: address, cookie: cookie, registrations: nil)
        }
        if isOwn, socket.domain != domain { throw Errno(EINVAL) }
        try checkUnconnected(socket, domain, connections)
        let (cookie, registrations) = try replace(socket, cookie, by: address.domain, for: .proxy, connections)
        return Connectable(address: address, cookie: cookie, registrations: registrations)
    }

    /// - Parameter former: the socket's cookie.
    private static func replace(
        _ socket: Socket, _ former: UInt64, by domain: Int32, for end: End, _ connections: UnsafePointer<Connections>
    ) throws(Errno) -> (cookie: UInt64, TakenRegistrations) {
        let substitute = try SubstituteSocket(of: socket, by: domain, for: end, connections)
        let registrations = TakenRegistrations(of: socket, connections)
        substitute.take(placeOf: socket)
        connections.pointee.sockets.remove(cookie: former)
        return (substitute.cookie, registrations)
    }

    /// connect(2) fails for a connected or connecting socket.
    private static func checkUnconnected(
        _ socket: Socket, _ domain: Int32, _ connections: UnsafePointer<Connections>
    ) throws(Errno) {
        if domain == AF_UNIX {
            // A failed one stays connected.
            guard let cookie = socket.cookie, connections.pointee.sockets.peer(cookie: cookie) != nil else { return }
            throw .isConnected
        }
        switch socket.stateOfTCP {
        case TCP_CLOSE: break
        case TCP_SYN_SENT, TCP_SYN_RECV: throw .alreadyInProgress
        default: throw .isConnected
        }
    }

    /// Gives the program a socket of its own family again, if necessary: it connects direct.
    @inline(never)
    static func undo(_ descriptor: Int32, _ connections: UnsafePointer<Connections>) throws(Errno) {
        let socket = Socket(descriptor: descriptor)
        guard let original = connections.pointee.original(of: socket), let cookie = socket.cookie else { return }
        try checkUnconnected(socket, socket.domain, connections)
        try replace(socket, cookie, by: original.name.domain, for: .destination, connections).1.restore()
    }

    /// The same for connect(2) with AF_UNSPEC, which the kernel does not support for a Unix-domain socket. False if the
    /// kernel has to do it.
    static func dissolve(_ descriptor: Int32, _ connections: UnsafePointer<Connections>) throws(Errno) -> Bool {
        let socket = Socket(descriptor: descriptor)
        guard let original = connections.pointee.original(of: socket), socket.domain == AF_UNIX,
            let cookie = socket.cookie
        else { return false }
        try replace(socket, cookie, by: original.name.domain, for: .destination, connections).1.restore()
        return true
    }
}
