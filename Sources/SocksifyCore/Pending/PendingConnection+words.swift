import CPreload
import SharedTables
import StreamSecurity
import Tunnel

/// A pending connection as the shared words by which processes tell each other of it: only numbers, each checked by its
/// reader. The descriptor is not among them: each process has its own.
extension PendingConnection {
    /// How many words it is written as at most, with a check.
    static var wordCount: Int { 7 + 8 * 3 + Handshake.wordCount + 1 }

    private static var isStarted: UInt64 { 1 }
    private static var wasAskedEarly: UInt64 { 2 }
    private static var isBroken: UInt64 { 4 }
    private static var isUnwatched: UInt64 { 8 }
    private static var isSecured: UInt64 { 16 }
    private static var allFlags: UInt64 { 31 }

    /// Mutates nothing: so the record is not copied for the call.
    @inline(never)
    mutating func write(to words: inout WordCursor, _ buffers: HandshakeBuffers) {
        words.write(UInt32(bitPattern: process), forks)
        var flags: UInt64 = 0
        if isStarted { flags |= PendingConnection.isStarted }
        if wasAskedEarly { flags |= PendingConnection.wasAskedEarly }
        if isBroken { flags |= PendingConnection.isBroken }
        if isUnwatched { flags |= PendingConnection.isUnwatched }
        if security != nil { flags |= PendingConnection.isSecured }
        words.write(flags)
        words.write(cookie)
        switch failure {
        case nil: words.write(0, 0)
        case .errno(let errno)?: words.write(1, UInt32(bitPattern: errno.code))
        case .ofKernel?: words.write(2, 0)
        case .told?: words.write(3, 0)
        }
        words.write(userTimeout == nil ? 0 : 1, UInt32(bitPattern: userTimeout ?? 0))
        words.write(UInt32(bitPattern: lent.lowWater), lent.isCorked ? 1 : 0)
        words.write(UInt64(registrationCount))
        for index in 0..<registrationCount {
            let registration = registrations[index]
            words.write(UInt32(bitPattern: registration.epoll), UInt32(bitPattern: registration.asked.target))
            words.write(UInt64(registration.asked.events))
            words.write(registration.asked.data)
        }
        handshake.write(to: &words, buffers)
        words.write(words.check)
    }

    /// Takes over what another process has written. False for words that nobody wrote as a whole, or in which there is
    /// what cannot be; then all but what the buffers hold stays as it was.
    @inline(never)
    mutating func read(
        from words: inout WordCursor, _ buffers: HandshakeBuffers, _ proxies: borrowing Proxies
    ) -> Bool {
        let (process, forks) = words.readHalves()
        // It is this process itself that knows which ones it has begun.
        guard (Int32(bitPattern: process) == process_own_id()) == isOwn else { return false }
        let flags = words.read(upTo: PendingConnection.allFlags)
        // Without its contexts nobody can go on with it.
        guard flags & PendingConnection.isSecured == 0 || security != nil else { return false }
        let cookie = words.read()
        let (kind, errno) = words.readHalves()
        let failure: HandshakeFailure?
        switch kind {
        case 0: failure = nil
        case 1 where Errno.words.contains(errno): failure = .errno(Errno(Int32(bitPattern: errno)))
        case 2: failure = .ofKernel
        case 3: failure = .told
        default: return false
        }
        let (hasTimeout, timeout) = words.readHalves()
        let (lowWater, cork) = words.readHalves()
        var (registrations, registrationCount) = ownRegistrations
        for _ in 0..<words.read(upTo: UInt64(registrations.count)) {
            let told = PendingConnection.registration(from: &words)
            guard registrationCount < registrations.count, !hasRegistered(told) else { continue }
            registrations[registrationCount] = told
            registrationCount += 1
        }
        guard let handshake = Handshake(from: &words, buffers, proxies) else { return false }
        let check = words.check
        guard words.read() == check, !words.isWrong else { return false }
        self.handshake = handshake
        (self.process, self.forks) = (Int32(bitPattern: process), forks)
        // The call that begins to connect says so itself where it is one of this process.
        if flags & PendingConnection.isStarted != 0 { isStarted = true }
        wasAskedEarly = flags & PendingConnection.wasAskedEarly != 0
        isBroken = flags & PendingConnection.isBroken != 0
        isUnwatched = flags & PendingConnection.isUnwatched != 0
        self.cookie = cookie
        self.failure = failure
        userTimeout = hasTimeout == 0 ? nil : Int32(bitPattern: timeout)
        lent = LentOptions(lowWater: Int32(bitPattern: lowWater), isCorked: cork != 0)
        (self.registrations, self.registrationCount) = (registrations, registrationCount)
        return true
    }

    // MARK: Registrations

    /// What the program has registered in this process stands as it is known here, whatever others tell: the data may be a
    /// pointer of the program's.
    private var ownRegistrations: (InlineArray<8, RecordedRegistration>, count: Int) {
        var (own, count) = (registrations, 0)
        for index in 0..<registrationCount where registrations[index].isOwn {
            own[count] = registrations[index]
            count += 1
        }
        return (own, count)
    }

    private func hasRegistered(_ told: RecordedRegistration) -> Bool {
        for index in 0..<registrationCount where registrations[index].isOwn {
            let own = registrations[index]
            if own.epoll == told.epoll, own.asked.target == told.asked.target { return true }
        }
        return false
    }

    private static func registration(from words: inout WordCursor) -> RecordedRegistration {
        let (epoll, target) = words.readHalves()
        let (events, data) = (UInt32(words.read(upTo: UInt64(UInt32.max))), words.read())
        return RecordedRegistration(
            epoll: Int32(bitPattern: epoll),
            asked: EpollRegistration(target: Int32(bitPattern: target), events: events, data: data))
    }
}
