// The functions have C's names.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import CInterpose
import CPrograms
import SocksifyCore

// The entry points from C: each converts, makes one call, and converts back. `errno` is left alone on success, because
// nothing below goes through libc's system calls.

extension HookResult {
    fileprivate var result: Int32 {
        switch self {
        case .pass, .direct: Int32(SOCKSIFY_PASS)
        case .succeeded: 0
        case .failed(let errno): -errno.code
        }
    }
}

@c @implementation
public func socksify_connect(_ fd: Int32, _ address: UnsafePointer<sockaddr>?, _ length: socklen_t) -> Int32 {
    Connect.connect(fd, to: address, length: length).result
}

@c @implementation
public func socksify_socket(_ domain: Int32, _ type: Int32, _ protocol: Int32) -> Int32 {
    UnsupportedProtocols.make(domain: domain, type: type, protocol: `protocol`).result
}

@c @implementation
public func socksify_listen(_ fd: Int32) -> Int32 {
    Listen.listen(fd).result
}

@c @implementation
public func socksify_prepare_io(_ fd: Int32, _ flags: UInt32) -> Int32 {
    let direction = flags & UInt32(SOCKSIFY_SENDING) != 0 ? Stream.Direction.sending : .receiving
    return Stream.prepare(fd, direction, isNonBlocking: flags & UInt32(SOCKSIFY_NONBLOCKING) != 0).result
}

@c @implementation
public func socksify_prepare_to_send_descriptor(_ fd: Int32) -> Int32 {
    Stream.prepareToSend(descriptor: fd).result
}

@c @implementation
public func socksify_take_error(_ fd: Int32) -> Int32 {
    Stream.takeError(fd) ?? HookResult.pass.result
}

@c @implementation
public func socksify_is_pending(_ fd: Int32) -> Int32 {
    Stream.isUnderWay(fd) ? 1 : 0
}

@c @implementation
public func socksify_put_user_timeout_back(_ fd: Int32) {
    Stream.putUserTimeoutBack(fd)
}

@c @implementation
public func socksify_lent_option(_ fd: Int32, _ level: Int32, _ option: Int32) -> Int32 {
    Stream.lentOption(fd, level, option) ?? HookResult.pass.result
}

@c @implementation
public func socksify_set_lent_option(
    _ fd: Int32, _ level: Int32, _ option: Int32, _ value: UnsafeRawPointer?, _ length: socklen_t
) -> Int32 {
    Stream.setLentOption(fd, level, option, value, length).result
}

@c @implementation
public func socksify_shutdown(_ fd: Int32, _ how: Int32) -> Int32 {
    Stream.shutDown(fd, how).result
}

@c @implementation
public func socksify_was_shut(_ fd: Int32, _ how: Int32) {
    Stream.wasShut(fd, how)
}

@c @implementation
public func socksify_end_descriptor(_ fd: Int32) {
    Descriptors.end(fd)
}

@c @implementation
public func socksify_poll_interest(_ fd: Int32) -> Int16 {
    Readiness.interest(of: fd)
}

@c @implementation
public func socksify_poll_advance(_ fd: Int32, _ events: Int16) -> Int32 {
    Readiness.advance(fd, events: events) ? 1 : 0
}

@c @implementation
public func socksify_take_event(_ data: UInt64, _ events: UInt32) -> Int32 {
    Readiness.take(eventData: data, events: events) ? 1 : 0
}

@c @implementation
public func socksify_inspect_handshakes() -> Int {
    Readiness.inspect() ?? -1
}

@c @implementation
public func socksify_audit_epoll(_ epoll: Int32) {
    Readiness.audit(epoll: epoll)
}

@c @implementation
public func socksify_lock(_ word: UnsafeMutablePointer<UInt64>) {
    Datagram.beginLook(word)
}

@c @implementation
public func socksify_unlock(_ word: UnsafeMutablePointer<UInt64>) {
    Datagram.endLook(word)
}

@c @implementation
public func socksify_note_epoll(_ epoll: Int32) {
    Readiness.note(epoll: epoll)
}

@c @implementation
public func socksify_epoll_ctl(
    _ epoll: Int32, _ operation: Int32, _ fd: Int32, _ events: UInt32, _ data: UInt64
) -> Int32 {
    Readiness.control(epoll, operation, fd, events: events, data: data).result
}

@c @implementation
public func socksify_epoll_adopt(_ epoll: Int32, _ fd: Int32, _ events: UInt32, _ data: UInt64) {
    Readiness.adopt(epoll, fd, events: events, data: data)
}

@c @implementation
public func socksify_send(
    _ fd: Int32, _ message: UnsafePointer<msghdr>, _ flags: Int32,
    _ encapsulation: UnsafeMutablePointer<udp_encapsulation>
) -> Int32 {
    switch SendTo.send(fd, message, flags: flags, encapsulation) {
    case .pass: HookResult.pass.result
    case .unaddressed: Int32(SOCKSIFY_UNADDRESSED)
    case .byWay: Int32(SOCKSIFY_BY_WAY)
    case .encapsulated: 0
    case .taken: Int32(SOCKSIFY_TAKEN)
    case .failed(let errno): -errno.code
    }
}

@c @implementation
public func socksify_allows_offload(_ fd: Int32) -> Int32 {
    Datagram.allowsOffload(fd) ? 1 : 0
}

@c @implementation
public func socksify_is_relayed(_ fd: Int32) -> Int32 {
    Datagram.isRelayed(fd) ? 1 : 0
}

@c @implementation
public func socksify_prepare_to_receive(_ fd: Int32, _ plan: UnsafeMutablePointer<udp_receive_plan>) -> Int32 {
    Datagram.prepareToReceive(fd, plan).result
}

@c @implementation
public func socksify_prepare_to_receive_quickly(
    _ fd: Int32, _ plan: UnsafeMutablePointer<udp_receive_plan>
) -> Int32 {
    Datagram.prepareToReceiveQuickly(fd, plan) ? 1 : 0
}

@c @implementation
public func socksify_decapsulate(
    _ datagram: UnsafePointer<udp_received>, _ decapsulated: UnsafeMutablePointer<udp_decapsulated>
) -> Int32 {
    Datagram.decapsulate(datagram, decapsulated) ? 1 : 0
}

@c @implementation
public func socksify_is_refused(_ fd: Int32) -> Int32 {
    Datagram.isRefused(fd) ? 1 : 0
}

@c @implementation
public func socksify_received_from(_ fd: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) {
    Datagram.received(fd, from: address, length: length)
}

@c @implementation
public func socksify_receive_timeout(_ fd: Int32) -> Int32 {
    Datagram.receiveTimeout(fd).map { Int32(truncatingIfNeeded: $0) } ?? -1
}

@c @implementation
public func socksify_adopt_sockets() {
    Descriptors.adopt()
}

@c @implementation
public func socksify_prepare_to_hand_on(_ takesPlace: Int32) {
    Descriptors.prepareToHandOn(takesPlace: takesPlace != 0)
}

@c @implementation
public func socksify_received_descriptor(_ fd: Int32) {
    Descriptors.received(fd)
}

@c @implementation
public func socksify_move_own_descriptor(_ fd: Int32) {
    Descriptors.moveOwn(fd)
}

@c @implementation
public func socksify_is_own_descriptor(_ fd: Int32) -> Int32 {
    Descriptors.isOwn(fd) ? 1 : 0
}

@c @implementation
public func socksify_settle() {
    InternalConnections.settle()
}

@c @implementation
public func socksify_internal_connections(_ descriptors: UnsafeMutablePointer<pollfd>, _ room: Int32) -> Int32 {
    Int32(
        truncatingIfNeeded: InternalConnections.fill(UnsafeMutableBufferPointer(start: descriptors, count: Int(room))))
}

@c @implementation
public func socksify_unattended(
    _ descriptors: UnsafeMutablePointer<pollfd>, _ room: Int32, _ besides: Int32
) -> Int32 {
    let room = UnsafeMutableBufferPointer(start: descriptors, count: Int(room))
    return Int32(truncatingIfNeeded: Unattended.fill(room, besides: Unattended.Epolls(besides)))
}

@c @implementation
public func socksify_watch_internal(_ epoll: Int32) -> Int32 {
    InternalConnections.watch(by: epoll).map { Int32(truncatingIfNeeded: $0) } ?? -1
}

@c @implementation
public func socksify_getpeername(
    _ fd: Int32, _ address: UnsafeMutablePointer<sockaddr>, _ room: socklen_t,
    _ length: UnsafeMutablePointer<socklen_t>
) -> Int32 {
    switch PeerName.peer(of: fd, said: address, length: length.pointee, room: room) {
    case .byLibC: return HookResult.pass.result
    case .notConnected: return -ENOTCONN
    case .peer(let peer):
        length.pointee = socklen_t(peer.write(to: UnsafeMutableRawBufferPointer(start: address, count: Int(room))))
        return 0
    }
}

@c @implementation
public func socksify_getsockname(
    _ fd: Int32, _ address: UnsafeMutablePointer<sockaddr>, _ room: socklen_t,
    _ length: UnsafeMutablePointer<socklen_t>
) -> Int32 {
    guard let name = ApparentSocket.name(of: fd) else { return HookResult.pass.result }
    length.pointee = socklen_t(name.write(to: UnsafeMutableRawBufferPointer(start: address, count: Int(room))))
    return 0
}

@c @implementation
public func socksify_getsockopt(
    _ fd: Int32, _ level: Int32, _ option: Int32, _ value: UnsafeMutableRawPointer?,
    _ length: UnsafeMutablePointer<socklen_t>?
) -> Int32 {
    ApparentSocket.getOption(fd, level, option, value, length).result
}

@c @implementation
public func socksify_setsockopt(
    _ fd: Int32, _ level: Int32, _ option: Int32, _ value: UnsafeRawPointer?, _ length: socklen_t
) -> Int32 {
    ApparentSocket.setOption(fd, level, option, value, length).result
}

@c @implementation
public func socksify_getaddrinfo(
    _ node: UnsafePointer<CChar>?, _ service: UnsafePointer<CChar>?, _ hints: UnsafePointer<addrinfo>?,
    _ result: UnsafeMutablePointer<UnsafeMutablePointer<addrinfo>?>
) -> Int32 {
    Resolve.addressInfo(node: node, service: service, hints: hints, result: result) ?? HookResult.pass.result
}

@c @implementation
public func socksify_getnameinfo(
    _ address: UnsafePointer<sockaddr>, _ length: socklen_t, _ host: UnsafeMutablePointer<CChar>?,
    _ host_length: socklen_t, _ service: UnsafeMutablePointer<CChar>?, _ service_length: socklen_t, _ flags: Int32
) -> Int32 {
    Resolve.nameInfo(
        address, length: length, host: host, hostLength: host_length, service: service,
        serviceLength: service_length, flags: flags) ?? HookResult.pass.result
}

@c @implementation
public func socksify_names_belong_to_proxy() -> Int32 {
    Resolve.namesBelongToProxy ? 1 : 0
}

@c @implementation
public func socksify_searches_domains() -> Int32 {
    Resolve.searchesDomains ? 1 : 0
}

@c @implementation
public func socksify_answer_question(
    _ question: UnsafePointer<UInt8>, _ question_length: Int, _ answer: UnsafeMutablePointer<UInt8>, _ length: Int
) -> Int32 {
    let question = UnsafeBufferPointer(start: question, count: question_length)
    let answer = UnsafeMutableRawBufferPointer(start: answer, count: length)
    return Resolve.answer(question, into: answer).map { Int32(truncatingIfNeeded: $0) } ?? -1
}

@c @implementation
public func socksify_host_by_name(
    _ name: UnsafePointer<CChar>, _ family: Int32, _ entry: UnsafeMutablePointer<hostent>,
    _ buffer: UnsafeMutablePointer<CChar>, _ buffer_length: Int, _ host_error: UnsafeMutablePointer<Int32>
) -> Int32 {
    let buffer = UnsafeMutableRawBufferPointer(start: buffer, count: buffer_length)
    return HostEntry.byName(name, family: family, entry: entry, buffer: buffer).result(host_error)
}

@c @implementation
public func socksify_host_by_address(
    _ address: UnsafeRawPointer, _ length: socklen_t, _ family: Int32, _ entry: UnsafeMutablePointer<hostent>,
    _ buffer: UnsafeMutablePointer<CChar>, _ buffer_length: Int, _ host_error: UnsafeMutablePointer<Int32>
) -> Int32 {
    let buffer = UnsafeMutableRawBufferPointer(start: buffer, count: buffer_length)
    return HostEntry.byAddress(address, length: length, family: family, entry: entry, buffer: buffer)
        .result(host_error)
}

extension HostEntry.Answer {
    fileprivate func result(_ hostError: UnsafeMutablePointer<Int32>) -> Int32 {
        switch self {
        case .byLibC:
            return HookResult.pass.result
        case .found:
            hostError.pointee = NETDB_SUCCESS
            return 0
        case .notFound(let code):
            hostError.pointee = code
            return ENOENT
        case .short(let errno):
            hostError.pointee = NETDB_INTERNAL
            return errno.code
        case .bufferTooSmall:
            hostError.pointee = NETDB_INTERNAL
            return ERANGE
        }
    }
}

@c @implementation
public func socksify_prepare() {
    Preparation.prepare()
}

@c @implementation
public func socksify_start(
    _ reach: Int32, _ path: UnsafePointer<CChar>, _ interpreter: UnsafePointer<CChar>
) -> Int32 {
    let program = UnreachableProgram(
        program_reach(UInt32(bitPattern: reach)), path: path, interpreter: interpreter)
    switch program.start {
    case .asItIs: return HookResult.pass.result
    case .withoutNetwork: return 0
    case .refused(let errno): return -errno.code
    }
}

@c @implementation
public func socksify_end() {
    ProcessEnd.clean()
}

@c @implementation
public func socksify_copy_shared_memory() -> Int32 {
    SharedRights.copy() ?? -1
}

@c @implementation
public func socksify_leave_shared_memory(_ copy: Int32) {
    SharedRights.leave(for: copy)
}

@c @implementation
public func socksify_prepare_inheritance() {
    Inheritance.prepare()
}

// MARK: Encapsulated streams

@c @implementation
public func socksify_was_not_replaced() { Descriptors.wasNotReplaced() }

@c @implementation
public func socksify_stream_receive(
    _ fd: Int32, _ parts: UnsafePointer<iovec>?, _ count: Int, _ skipped: Int, _ flags: Int32
) -> Int {
    result(EncapsulatedIO.receive(fd, parts, count: count, skipping: skipped, flags: flags))
}

@c @implementation
public func socksify_stream_send(
    _ fd: Int32, _ parts: UnsafePointer<iovec>?, _ count: Int, _ skipped: Int, _ is_unsent: UnsafeMutablePointer<Int32>
) -> Int {
    var isUnsent = false
    let outcome = EncapsulatedIO.send(fd, parts, count: count, skipping: skipped, isUnsent: &isUnsent)
    is_unsent.pointee = isUnsent ? 1 : 0
    return result(outcome)
}

@c @implementation
public func socksify_stream_flush(_ fd: Int32) -> Int { result(EncapsulatedIO.flush(fd)) }

@c @implementation
public func socksify_stream_unread(_ fd: Int32) -> Int { result(EncapsulatedIO.unread(fd)) }

private func result(_ outcome: EncapsulatedIO.Outcome) -> Int {
    switch outcome {
    case .pass: SOCKSIFY_STREAM_PASS
    case .count(let count): count
    case .failed(let errno): -Int(errno.code)
    }
}
