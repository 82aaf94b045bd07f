import CPreload
import SharedTables

/// The program's registrations of a pending socket. The kernel has the library's in their place; the program's are
/// recorded, and restored at the end.
extension PendingHandle {
    /// The library's events for a pending socket: edge-triggered, so that waiting threads do not wake each other all
    /// the time, and no step has to change them.
    private static var ownEvents: UInt32 { EpollEvents.readable | EpollEvents.writable | EpollEvents.edgeTriggered }

    /// Replaces the program's registration by the library's; the kernel's error if there is none to replace.
    @inline(never)
    private func mark(_ epoll: Int32, _ target: Int32) -> Errno? {
        let data = table.marker.data(for: slot)
        var result = kernel_epoll_ctl(epoll, EPOLL_CTL_MOD, target, PendingHandle.ownEvents, data)
        if result == Int(-EINVAL) {
            // The kernel does not modify an exclusive registration.
            result = kernel_epoll_ctl(epoll, EPOLL_CTL_DEL, target, 0, 0)
            if result == 0 {
                result = kernel_epoll_ctl(epoll, EPOLL_CTL_ADD, target, PendingHandle.ownEvents, data)
            }
        }
        return result < 0 ? Errno(result: result) : nil
    }

    /// The recorded registration of this descriptor with this epoll, under any number of the epoll.
    @inline(never)
    private func index(of epoll: Int32, _ target: Int32) -> Int? {
        for index in 0..<record.pointee.registrationCount
        where record.pointee.registrations[index].asked.target == target {
            let known = record.pointee.registrations[index].epoll
            if known == epoll || (isDuplicated(known) && isDuplicated(epoll) && kernel_is_same_file(known, epoll) != 0)
            {
                return index
            }
        }
        return nil
    }

    /// Whether this epoll reports the socket, under any descriptor.
    func isRegistered(with epoll: Int32) -> Bool {
        for index in 0..<record.pointee.registrationCount where record.pointee.registrations[index].epoll == epoll {
            return true
        }
        return false
    }

    func isDuplicated(_ descriptor: Int32) -> Bool {
        descriptor_mark(descriptor) & UInt32(DESCRIPTOR_DUPLICATED) != 0
    }

    /// Whether another registration can be recorded. Those of closed epolls make room.
    @inline(never)
    private func makeRoom() -> Bool {
        if record.pointee.registrationCount < record.pointee.registrations.count { return true }
        for index in (0..<record.pointee.registrationCount).reversed() {
            let registration = record.pointee.registrations[index]
            if isOfSocket(registration), mark(registration.epoll, registration.asked.target) != nil {
                removeRegistration(at: index)
            }
        }
        return record.pointee.registrationCount < record.pointee.registrations.count
    }

    /// Whether it is of this socket: another process' descriptors mean nothing here.
    private func isOfSocket(_ registration: RecordedRegistration) -> Bool {
        registration.isOwn || Socket(descriptor: registration.asked.target).cookie == record.pointee.cookie
    }

    @inline(never)
    private func append(_ epoll: Int32, _ asked: EpollRegistration) {
        let count = record.pointee.registrationCount
        guard count < record.pointee.registrations.count else { return }
        record.pointee.registrations[count] = RecordedRegistration(
            epoll: epoll, process: process_own_id(), asked: asked)
        record.pointee.registrationCount = count + 1
        unattended_note_epoll(epoll)
        isWatched()
        countAttendance()
    }

    private func removeRegistration(at index: Int) {
        let last = record.pointee.registrationCount - 1
        record.pointee.registrations[index] = record.pointee.registrations[last]
        record.pointee.registrationCount = last
        countAttendance()
    }

    /// Takes over an earlier registration of the program's; `asked` is as the kernel shows it, or as it was seen.
    @inline(never)
    func adopt(_ asked: EpollRegistration, by epoll: Int32) {
        guard index(of: epoll, asked.target) == nil, table.marker.slot(of: asked.data) == nil, makeRoom()
        else { return }
        if mark(epoll, asked.target) == nil { append(epoll, asked) }
    }

    /// epoll_ctl(2) on the socket: changes the registration that the program gets back. The kernel is asked for the
    /// result each time.
    @inline(never)
    func control(_ epoll: Int32, _ operation: Int32, _ target: Int32, events: UInt32, data: UInt64) -> Errno? {
        let asked = EpollRegistration(target: target, events: events, data: data)
        switch operation {
        case EPOLL_CTL_ADD:
            // As the kernel: only these events go with EPOLLEXCLUSIVE (epoll_ctl(2)).
            if events & EpollEvents.exclusive != 0, events & ~PendingHandle.exclusiveEvents != 0 {
                return Errno(EINVAL)
            }
            guard makeRoom() else { return Errno(ENOSPC) }
            let result = kernel_epoll_ctl(
                epoll, EPOLL_CTL_ADD, target, PendingHandle.ownEvents, table.marker.data(for: slot))
            guard result == 0 else { return Errno(result: result) }
            // The record under these numbers belongs to an epoll that is closed by now.
            if let known = index(of: epoll, target) { removeRegistration(at: known) }
            append(epoll, asked)
        case EPOLL_CTL_MOD:
            let known = index(of: epoll, target)
            let isExclusive = known.map { record.pointee.registrations[$0].asked.events & EpollEvents.exclusive != 0 }
            if events & EpollEvents.exclusive != 0 || isExclusive == true { return Errno(EINVAL) }
            guard known != nil || makeRoom() else { return Errno(ENOSPC) }
            if let error = mark(epoll, target) { return error }
            if let known { removeRegistration(at: known) }
            append(epoll, asked)
        default:
            let result = kernel_epoll_ctl(epoll, operation, target, 0, 0)
            if operation == EPOLL_CTL_DEL, let known = index(of: epoll, target) { removeRegistration(at: known) }
            return result < 0 ? Errno(result: result) : nil
        }
        return nil
    }

    private static var exclusiveEvents: UInt32 {
        EpollEvents.readable | EpollEvents.writable | EpollEvents.error | EpollEvents.hangUp | EpollEvents.wakeUp
            | EpollEvents.edgeTriggered | EpollEvents.exclusive
    }

    /// Runs `body`, by which another socket takes the place of this one, and has the epolls watch that one. The kernel knows
    /// a registration by the number and by what that stands for: it has to go before that changes.
    func moveRegistrations(_ body: () -> Void) {
        if !record.pointee.role.isInternal,
            descriptor_mark(socket.descriptor) & UInt32(DESCRIPTOR_WATCHED | DESCRIPTOR_DUPLICATED) != 0
        {
            EpollInventory(connections).adoptRegistrations(of: self)
        }
        for index in 0..<record.pointee.registrationCount {
            let registration = record.pointee.registrations[index]
            guard isOfSocket(registration) else { continue }
            _ = kernel_epoll_ctl(registration.epoll, EPOLL_CTL_DEL, registration.asked.target, 0, 0)
        }
        body()
        let data = table.marker.data(for: slot)
        for index in 0..<record.pointee.registrationCount {
            let registration = record.pointee.registrations[index]
            guard isOfSocket(registration) else { continue }
            _ = kernel_epoll_ctl(
                registration.epoll, EPOLL_CTL_ADD, registration.asked.target, PendingHandle.ownEvents, data)
        }
    }

    // MARK: Internal connections

    /// Has an epoll tell of an internal connection. False when it cannot.
    @inline(never)
    func watch(by epoll: Int32) -> Bool {
        let target = socket.descriptor
        guard hasSocket, index(of: epoll, target) == nil else { return hasSocket }
        guard record.pointee.registrationCount < record.pointee.registrations.count else { return false }
        let result = kernel_epoll_ctl(
            epoll, EPOLL_CTL_ADD, target, PendingHandle.ownEvents, table.marker.data(for: slot))
        guard result == 0 || result == Int(-EEXIST) else { return false }
        append(epoll, EpollRegistration(target: target, events: 0, data: 0))
        return true
    }

    /// Threads may wait already.
    func watchInEveryEpoll() {
        for epoll in 0..<descriptor_end()
        where descriptor_mark(epoll) & UInt32(DESCRIPTOR_USED_EPOLL) != 0 { _ = watch(by: epoll) }
    }

    func unwatch() {
        for index in 0..<record.pointee.registrationCount {
            let registration = record.pointee.registrations[index]
            _ = kernel_epoll_ctl(registration.epoll, EPOLL_CTL_DEL, registration.asked.target, 0, 0)
        }
        record.pointee.registrationCount = 0
    }

    // MARK: The end

    /// Gives the program's registrations back. That makes the kernel look at the socket again, and tell what it finds.
    func restoreRegistrations() {
        for index in 0..<record.pointee.registrationCount {
            let registration = record.pointee.registrations[index]
            guard isOfSocket(registration), restore(registration.asked, registration.epoll) != 0 else { continue }
            restoreByOtherNumbers(registration)
        }
        record.pointee.registrationCount = 0
    }

    /// The number of the epoll or of the socket was closed, while either lives on by another one.
    private func restoreByOtherNumbers(_ registration: RecordedRegistration) {
        // The kernel knows the registration by the socket's number: it is taken again for a moment, if nobody has it.
        let target = registration.asked.target
        var copy = -1
        if mayHaveOthers, Socket(descriptor: target).cookie != socket.cookie {
            copy = kernel_duplicate(socket.descriptor, target)
        }
        if restore(registration.asked, registration.epoll) != 0 {
            for epoll in 0..<descriptor_end()
            where isDuplicated(epoll) && descriptor_mark(epoll) & UInt32(DESCRIPTOR_EPOLL) != 0
                && index(of: epoll, target) == nil
            {
                if restore(registration.asked, epoll) == 0 { break }
            }
        }
        if copy >= 0 { _ = kernel_close(Int32(truncatingIfNeeded: copy)) }
    }

    /// The kernel's result: 0, or a negative error number.
    private func restore(_ asked: EpollRegistration, _ epoll: Int32) -> Int {
        guard asked.events & EpollEvents.exclusive != 0 else {
            return kernel_epoll_ctl(epoll, EPOLL_CTL_MOD, asked.target, asked.events, asked.data)
        }
        let result = kernel_epoll_ctl(epoll, EPOLL_CTL_DEL, asked.target, 0, 0)
        return result < 0 ? result : kernel_epoll_ctl(epoll, EPOLL_CTL_ADD, asked.target, asked.events, asked.data)
    }
}

/// Events of epoll_ctl(2).
enum EpollEvents {
    static var readable: UInt32 { EPOLLIN.rawValue }
    static var writable: UInt32 { EPOLLOUT.rawValue }
    static var error: UInt32 { EPOLLERR.rawValue }
    static var hangUp: UInt32 { EPOLLHUP.rawValue }
    static var oneShot: UInt32 { EPOLLONESHOT.rawValue }
    static var exclusive: UInt32 { EPOLLEXCLUSIVE.rawValue }
    static var wakeUp: UInt32 { EPOLLWAKEUP.rawValue }
    static var edgeTriggered: UInt32 { EPOLLET.rawValue }
}
