import Addressing
import CPreload
import SOCKS5

/// How the association of a relayed socket is opened, and what becomes of it.
extension Datagram {
    /// Begins to open it, as the record says already. Returns the error if that is impossible.
    static func openAssociation(
        _ socket: Socket, _ slot: Int, throughList list: Int, _ datagrams: UnsafePointer<Datagrams>
    ) -> Errno? {
        let table = datagrams.pointee.relayed
        do {
            if let record = table.enter(slot) {
                record.pointee.descriptor = socket.descriptor
                table.leave(slot)
            }
            let role = ConnectionRole.association(slot: slot, cookie: table.cookie(of: slot))
            let family = socket.sendsToIPv6Alone ? SocketFamily(domain: AF_INET6, isIPv6Only: true) : .own
            let connection = try InternalConnection.prepare(
                role, .associating(overIPv6: false), throughList: list, family: family, datagrams.pointee.connections
            )
            if let record = table.enter(slot) {
                record.pointee.association.begin(control: connection.descriptor, cookie: connection.cookie)
                descriptor_note_control_slot(connection.descriptor, Int32(truncatingIfNeeded: slot))
                table.leave(slot)
            }
            connection.begin(datagrams.pointee.connections)
            return nil
        } catch {
            if let record = table.enter(slot) {
                record.pointee.association.detach()
                table.leave(slot)
            }
            return error
        }
    }

    /// The handshake of an association is over.
    static func concludeAssociation(_ end: AssociationEnd, _ datagrams: UnsafePointer<Datagrams>) -> ControlFate {
        let table = datagrams.pointee.relayed
        let (slot, cookie) = (end.slot, end.cookie)
        guard table.cookie(of: slot) == cookie, let record = table.enter(slot) else { return .closed }
        guard record.pointee.association.connection?.descriptor == end.control.descriptor else {
            table.leave(slot)
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
            table.queue(slot)?.hand { sendQueued($0, socket, record, datagrams) }
            record.pointee.association.unanswered = descriptor_tick()
            isOpen = true
        } catch {
            record.pointee.association.failed(error)
            if !record.pointee.isLingering, socket.cookie == cookie { record.pointee.showRefusal(by: socket) }
        }
        table.forgetQueue(slot)
        if record.pointee.isShut, socket.cookie == cookie { socket.shut(2) }
        guard record.pointee.isLingering else {
            table.leave(slot)
            return isOpen ? .kept : .closed
        }
        record.pointee.association.detach()
        LibraryDescriptor.close(socket.descriptor)
        table.remove(slot)
        return isOpen ? .lingers : .closed
    }

    /// shutdown(2) for sending. Datagrams that were sent before leave when the association is open.
    ///
    /// - Parameter how: bits, 1: for receiving, 2: for sending.
    static func shut(_ descriptor: Int32, _ how: Int32, _ datagrams: UnsafePointer<Datagrams>) -> HookResult {
        let table = datagrams.pointee.relayed
        guard how != 1, let slot = table.slot(of: descriptor), let record = table.enter(slot) else { return .pass }
        defer { table.leave(slot) }
        record.pointee.isShut = true
        guard record.pointee.association.isOpening, table.queue(slot) != nil else { return .pass }
        if how == 3 { Socket(descriptor: descriptor).shut(1) }
        return record.pointee.peer == nil ? .failed(Errno(ENOTCONN)) : .succeeded
    }

    /// The control connection of an opening association continues on a substitute socket.
    static func controlMoved(
        _ slot: Int, cookie: UInt64, to control: Socket, _ datagrams: UnsafePointer<Datagrams>
    ) {
        let table = datagrams.pointee.relayed
        guard table.cookie(of: slot) == cookie, let moved = control.cookie, let record = table.enter(slot) else {
            return
        }
        if record.pointee.association.connection?.descriptor == control.descriptor {
            record.pointee.association.begin(control: control.descriptor, cookie: moved)
        }
        table.leave(slot)
    }

    /// The kernel has reported a closed port of its own peer. If that is the relay, the server may have gone, which
    /// does not concern the program. Returns whether to report it to the program: that is how it learns that the proxy
    /// carries no datagrams.
    static func isRefused(_ descriptor: Int32, _ datagrams: UnsafePointer<Datagrams>) -> Bool {
        guard let slot = datagrams.pointee.relayed.slot(of: descriptor),
            let record = datagrams.pointee.relayed.enter(slot)
        else { return false }
        defer { datagrams.pointee.relayed.leave(slot) }
        if case .nobody = record.pointee.kernelPeer {
            if case .failed = record.pointee.association.state { record.pointee.association.forgetFailure() }
            return true
        }
        record.pointee.association.checkNow()
        return false
    }
}

extension InternalConnection {
    /// Gives the association to the relayed socket in this slot. If it has ended already, that socket is not needed.
    func goOver(to slot: Int, _ datagrams: UnsafePointer<Datagrams>) {
        let table = datagrams.pointee.relayed
        var isUnderWay = false
        let role = ConnectionRole.association(slot: slot, cookie: table.cookie(of: slot))
        enter(datagrams.pointee.connections) { pending in
            pending.record.pointee.role = role
            isUnderWay = true
        }
        guard !isUnderWay, let record = table.enter(slot) else { return }
        LibraryDescriptor.close(record.pointee.descriptor)
        table.remove(slot)
    }
}
