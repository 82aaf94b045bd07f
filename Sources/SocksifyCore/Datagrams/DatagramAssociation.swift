import Addressing
import CPreload
import SOCKS5

/// How the association of a relayed socket is opened, and what becomes of it.
extension Datagram {
    /// Begins to open it; the calling thread has said so in the record. An error number when that cannot be.
    static func openAssociation(
        _ socket: Socket, _ place: Int, throughList list: Int, _ datagrams: UnsafePointer<Datagrams>
    ) -> Errno? {
        let table = datagrams.pointee.relayed
        do {
            if let record = table.enter(place) {
                record.pointee.descriptor = socket.descriptor
                table.leave(place)
            }
            let role = ConnectionRole.association(place: place, cookie: table.cookie(of: place))
            let family = socket.sendsToIPv6Alone ? SocketFamily(domain: AF_INET6, isIPv6Only: true) : .own
            let connection = try InternalConnection.prepare(
                role, .associating(overIPv6: false), throughList: list, family: family, datagrams.pointee.connections
            )
            if let record = table.enter(place) {
                record.pointee.association.begin(control: connection.descriptor, cookie: connection.cookie)
                relayed_note_control(connection.descriptor, Int32(truncatingIfNeeded: place))
                table.leave(place)
            }
            connection.begin(datagrams.pointee.connections)
            return nil
        } catch {
            if let record = table.enter(place) {
                record.pointee.association.detach()
                table.leave(place)
            }
            return error
        }
    }

    /// The handshake of an association is over.
    static func concludeAssociation(_ end: AssociationEnd, _ datagrams: UnsafePointer<Datagrams>) -> ControlFate {
        let table = datagrams.pointee.relayed
        let (place, cookie) = (end.place, end.cookie)
        guard table.cookie(of: place) == cookie, let record = table.enter(place) else { return .closed }
        guard record.pointee.association.connection?.descriptor == end.control.descriptor else {
            table.leave(place)
            return .closed
        }
        let socket = Socket(descriptor: record.pointee.descriptor)
        var isOpen = false
        do throws(Errno) {
            guard let bound = end.bound, let proxy = end.proxy else { throw end.errno ?? .networkUnreachable }
            let relay = try Association.relay(bound, proxy: proxy)
            guard relay.port != 0, let form = record.pointee.form(of: relay) else { throw .networkUnreachable }
            guard socket.cookie == cookie else { throw .aborted }
            if case .v4 = form.address.unmapped, socket.sendsToIPv6Alone { throw .networkUnreachable }
            record.pointee.association.opened(relay: form)
            if let peer = record.pointee.peer {
                try record.pointee.connectInKernel(socket, towards: peer.destination, datagrams)
            }
            table.queue(place)?.hand { sendQueued($0, socket, record, datagrams) }
            record.pointee.association.unanswered = coarse_tick()
            isOpen = true
        } catch {
            record.pointee.association.failed(error)
            if !record.pointee.isLingering, socket.cookie == cookie { record.pointee.showRefusal(by: socket) }
        }
        table.forgetQueue(place)
        if record.pointee.isShut, socket.cookie == cookie { socket.shut(2) }
        guard record.pointee.isLingering else {
            table.leave(place)
            return isOpen ? .kept : .closed
        }
        record.pointee.association.detach()
        OwnDescriptor.close(socket.descriptor)
        table.remove(place)
        return isOpen ? .lingers : .closed
    }

    /// shutdown(2) for sending: what was sent before goes out yet when the association is open.
    ///
    /// - Parameter how: bits, 1: for receiving, 2: for sending.
    static func shut(_ descriptor: Int32, _ how: Int32, _ datagrams: UnsafePointer<Datagrams>) -> Outcome {
        let table = datagrams.pointee.relayed
        guard how != 1, let place = table.place(of: descriptor), let record = table.enter(place) else { return .pass }
        defer { table.leave(place) }
        record.pointee.isShut = true
        guard record.pointee.association.isOpening, table.queue(place) != nil else { return .pass }
        if how == 3 { Socket(descriptor: descriptor).shut(1) }
        return record.pointee.peer == nil ? .failed(Errno(ENOTCONN)) : .succeeded
    }

    /// The connection of an association that is being opened goes on by another socket, which stands in its place.
    static func controlMoved(
        _ place: Int, cookie: UInt64, to control: Socket, _ datagrams: UnsafePointer<Datagrams>
    ) {
        let table = datagrams.pointee.relayed
        guard table.cookie(of: place) == cookie, let moved = control.cookie, let record = table.enter(place) else {
            return
        }
        if record.pointee.association.connection?.descriptor == control.descriptor {
            record.pointee.association.begin(control: control.descriptor, cookie: moved)
        }
        table.leave(place)
    }

    /// The kernel was told that nobody listens where it has the socket connected to. At the relay's port: the server may
    /// have gone, and the program has not asked for it. Returns whether the program is to learn of it, because that is how
    /// it is told that the proxy does not carry its datagrams.
    static func isRefused(_ descriptor: Int32, _ datagrams: UnsafePointer<Datagrams>) -> Bool {
        guard let place = datagrams.pointee.relayed.place(of: descriptor),
            let record = datagrams.pointee.relayed.enter(place)
        else { return false }
        defer { datagrams.pointee.relayed.leave(place) }
        if case .nobody = record.pointee.kernelPeer {
            if case .failed = record.pointee.association.state { record.pointee.association.forgetFailure() }
            return true
        }
        record.pointee.association.checkNow()
        return false
    }
}

extension InternalConnection {
    /// The association is that of the relayed socket in this place from now on. Where it is over already, that socket
    /// is for nothing.
    func goOver(to place: Int, _ datagrams: UnsafePointer<Datagrams>) {
        let table = datagrams.pointee.relayed
        var isUnderWay = false
        let role = ConnectionRole.association(place: place, cookie: table.cookie(of: place))
        enter(datagrams.pointee.connections) { pending in
            pending.record.pointee.role = role
            isUnderWay = true
        }
        guard !isUnderWay, let record = table.enter(place) else { return }
        OwnDescriptor.close(record.pointee.descriptor)
        table.remove(place)
    }
}
