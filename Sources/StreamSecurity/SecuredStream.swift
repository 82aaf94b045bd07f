import Addressing
import CGSSAPI
import ProxyConfig
import SOCKS5
import Tunnel

/// A stream whose bytes are encapsulated by security layers, over one that carries the messages. It never waits.
public struct SecuredStream<Below: ByteStream> {
    public let below: Below
    public let layers: UnsafeMutablePointer<SecurityLayers>

    public init(over below: Below, _ layers: UnsafeMutablePointer<SecurityLayers>) {
        self.below = below
        self.layers = layers
    }

    private var top: Int { layers.pointee.count - 1 }

    private func layer(_ index: Int) throws(Below.Failure) -> UnsafeMutablePointer<SecurityLayer> {
        guard let layer = layers.pointee[index] else { throw .proxy(.outOfStep) }
        return layer
    }

    // MARK: Sending

    /// Encapsulates bytes as one message, and sends as much of it as the stream takes; `flush` sends the rest. Returns
    /// how many; nil while the rest of an earlier message is not sent.
    public func send(_ bytes: UnsafeRawBufferPointer) throws(Below.Failure) -> Int? {
        try send(bytes, top)
    }

    /// Sends the rest of messages. Whether nothing is left.
    public func flush() throws(Below.Failure) -> Bool { try flush(top) }

    private func send(_ bytes: UnsafeRawBufferPointer, _ index: Int) throws(Below.Failure) -> Int? {
        guard index >= 0 else { return try below.send(bytes) }
        guard try flush(index) else { return nil }
        let layer = try layer(index)
        guard case .established = layer.pointee.stage, let context = layer.pointee.context else {
            return try send(bytes, index - 1)
        }
        let seals: Int32 = layer.pointee.protection == .confidentiality ? 1 : 0
        let limit = Int(gssapi_wrap_size_limit(context, seals, UInt32(SecurityMessage.longestToken)))
        let count = min(bytes.count, limit)
        guard count > 0 else { throw .proxy(.outOfStep) }
        let input = gssapi_buffer(length: count, value: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
        var output = gssapi_buffer()
        var isSealed: Int32 = 0
        let status = gssapi_wrap(context, seals, input, &isSealed, &output)
        guard status.major & GSSAPI_ERRORS == 0, isSealed >= seals, output.length <= SecurityMessage.longestToken
        else {
            gssapi_release(&output)
            throw failed(status)
        }
        layer.pointee.send(output, .data)
        _ = try flush(index)
        return count
    }

    private func flush(_ index: Int) throws(Below.Failure) -> Bool {
        guard index >= 0 else { return true }
        let layer = try layer(index)
        let head = SecurityMessage.headLength
        while layer.pointee.isSending {
            let (sent, body) = (layer.pointee.sent, layer.pointee.outgoing)
            let headBytes = layer.pointee.outgoingHead
            let count = try headBytes.span.withUnsafeBytes { (bytes) throws(Below.Failure) -> Int? in
                let rest = UnsafeRawBufferPointer(rebasing: bytes[min(sent, head)...])
                let start = max(sent - head, 0)
                let token = UnsafeRawBufferPointer(
                    start: body.value.map { UnsafeRawPointer($0) + start }, count: body.length - start)
                return try send(rest, token, index - 1)
            }
            guard let count else { return false }
            layer.pointee.sent += count
        }
        layer.pointee.releaseOutgoing()
        return try flush(index - 1)
    }

    private func send(
        _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer, _ index: Int
    ) throws(Below.Failure) -> Int? {
        if index < 0 { return try below.send(first, second) }
        return try send(first.isEmpty ? second : first, index)
    }

    // MARK: Receiving

    /// Receives decapsulated bytes; 0 at the end of the stream.
    public func receive(into room: UnsafeMutableRawBufferPointer) throws(Below.Failure) -> Int? {
        try receive(into: room, top)
    }

    /// Like `receive`, but leaves the bytes in the stream. Looks at one message only, unless there are more already.
    public func peek(into room: UnsafeMutableRawBufferPointer) throws(Below.Failure) -> Int? {
        guard top >= 0 else { return try below.peek(into: room) }
        switch try awaitBytes(top) {
        case .message: return try layer(top).pointee.copy(to: room)
        case .waiting: return nil
        case .end: return 0
        }
    }

    /// Receives bytes and forgets them, this many at most; returns how many, 0 at the end of the stream.
    public func skip(_ most: Int) throws(Below.Failure) -> Int? {
        switch try awaitBytes(top) {
        case .message: break
        case .waiting: return nil
        case .end: return 0
        }
        let layer = try layer(top)
        let count = min(layer.pointee.unread, most)
        layer.pointee.drop(count)
        try releaseLastByte()
        return count
    }

    private func receive(into room: UnsafeMutableRawBufferPointer, _ index: Int) throws(Below.Failure) -> Int? {
        guard index >= 0 else { return try below.receive(into: room) }
        guard case .established = try layer(index).pointee.stage else { return try receive(into: room, index - 1) }
        switch try awaitBytes(index) {
        case .message: break
        case .waiting: return nil
        case .end: return 0
        }
        let layer = try layer(index)
        let count = layer.pointee.copy(to: room)
        layer.pointee.drop(count)
        if index == top { try releaseLastByte() }
        return count
    }

    /// What a look for a message finds.
    public enum Arrival {
        /// There are unread bytes.
        case message
        case waiting
        case end
    }

    /// Brings bytes of the program's, unless some are there.
    private func awaitBytes(_ index: Int) throws(Below.Failure) -> Arrival {
        while try layer(index).pointee.unread == 0 {
            switch try fill(index) {
            case .message: continue
            case .waiting: return .waiting
            case .end: return .end
            }
        }
        return .message
    }

    /// Brings the bytes of one more message of the top layer; `message` also for one without bytes.
    public func fill() throws(Below.Failure) -> Arrival { try fill(top) }

    private func fill(_ index: Int) throws(Below.Failure) -> Arrival {
        let layer = try layer(index)
        guard layer.pointee.takesMessages else { return .waiting }
        switch try receiveMessage(.data, index) {
        case .message: break
        case .waiting: return .waiting
        case .end: return .end
        }
        guard let context = layer.pointee.context else { throw .proxy(.outOfStep) }
        let token = layer.pointee.token
        layer.pointee.received = 0
        // Means nothing, and must not look like the end.
        if token.length == 0 { return .message }
        var output = gssapi_buffer()
        var isSealed: Int32 = 0
        let status = gssapi_unwrap(context, token, &isSealed, &output)
        let outOfOrder =
            GSSAPI_DUPLICATE_TOKEN | GSSAPI_OLD_TOKEN | GSSAPI_UNSEQUENCED_TOKEN
            | GSSAPI_GAP_TOKEN
        guard status.major & (GSSAPI_ERRORS | UInt32(outOfOrder)) == 0,
            isSealed != 0 || layer.pointee.protection != .confidentiality
        else {
            gssapi_release(&output)
            layers.pointee.failure = status.major & GSSAPI_ERRORS == 0 ? SecurityFailure() : SecurityFailure(status)
            throw .proxy(.socks5(.messageForged))
        }
        layer.pointee.append(output)
        return .message
    }

    /// Goes on receiving a message; `end` if the stream ends before its first byte.
    ///
    /// The last byte of data stays in the socket until the bytes are read.
    private func receiveMessage(_ kind: SecurityMessage.Kind, _ index: Int) throws(Below.Failure) -> Arrival {
        let layer = try layer(index)
        if layer.pointee.isLastByteKept {
            if layers.pointee.unread > 0 {
                guard try hasWholeMessage() else { return .waiting }
            }
            guard try dropLastByte(layer) else { return .waiting }
        }
        while true {
            let (received, wanted) = (layer.pointee.received, layer.pointee.wanted)
            if received >= SecurityMessage.startLength { try check(layer, kind) }
            if layer.pointee.isReceived { return .message }
            var end = wanted
            var isLast = false
            if received < SecurityMessage.startLength, kind != .data {
                // An abort has no more.
                end = SecurityMessage.startLength
            } else if index == 0, kind == .data, received >= SecurityMessage.headLength {
                isLast = received == wanted - 1
                if !isLast { end = wanted - 1 }
            }
            let room = UnsafeMutableRawBufferPointer(rebasing: layer.pointee.incoming[received..<end])
            let count = isLast ? try below.peek(into: room) : try receive(into: room, index - 1)
            guard let count else { return .waiting }
            guard count > 0 else {
                if received == 0 { return .end }
                throw .proxy(.socks5(.closed))
            }
            layer.pointee.received += isLast ? 1 : count
            if isLast { layer.pointee.isLastByteKept = true }
        }
    }

    private func check(
        _ layer: UnsafeMutablePointer<SecurityLayer>, _ kind: SecurityMessage.Kind
    ) throws(Below.Failure) {
        do throws(ProtocolError) {
            try SecurityMessage.check(version: layer.pointee.incoming[0], type: layer.pointee.incoming[1], is: kind)
        } catch {
            throw .proxy(.socks5(error))
        }
    }

    /// Whether the socket has another message whole, behind the byte that stands for unread bytes: only then another
    /// one can be kept in its place.
    private func hasWholeMessage() throws(Below.Failure) -> Bool {
        var head = InlineArray<5, UInt8>(repeating: 0)
        let count = try withUnsafeMutableBytes(of: &head) { (room) throws(Below.Failure) -> Int? in
            try below.peek(into: room)
        }
        guard count == 5 else { return false }
        return below.receivable >= 5 + Int(head[3]) << 8 + Int(head[4])
    }

    /// Takes the kept byte out of the socket when nothing is unread any more: the socket is readable no longer.
    private func releaseLastByte() throws(Below.Failure) {
        guard !layers.pointee.haveUnread, let lowest = layers.pointee[0], lowest.pointee.isLastByteKept else { return }
        _ = try dropLastByte(lowest)
    }

    private func dropLastByte(_ layer: UnsafeMutablePointer<SecurityLayer>) throws(Below.Failure) -> Bool {
        var byte: UInt8 = 0
        let count = try withUnsafeMutableBytes(of: &byte) { (room) throws(Below.Failure) -> Int? in
            try below.receive(into: room)
        }
        guard let count else { return false }
        // Somebody else has read from the socket.
        guard count == 1 else { throw .proxy(.socks5(.closed)) }
        layer.pointee.isLastByteKept = false
        return true
    }

    // MARK: Establishing

    /// The progress of a context.
    public enum Step {
        /// Call `initialize`, which may wait for servers of the mechanism, in any thread, and then `establish` again.
        case initialize
        case waitsToSend
        case waitsToReceive
        case done
    }

    /// Begins to establish a context with a proxy.
    public func begin(with proxy: borrowing Proxy) throws(Below.Failure) {
        guard let settings = SecuritySettings(proxy) else { throw .proxy(.outOfStep) }
        guard gssapi_load({ dlopen($0, $1) }) == 0 else { throw .proxy(.socks5(.mechanismMissing)) }
        guard layers.pointee.add(settings.protection) else { throw .proxy(.outOfStep) }
        layers.pointee.settings = settings
    }

    /// Whether a context is being established.
    public var isEstablishing: Bool { layers.pointee.settings != nil }

    /// Has the mechanism take the proxy's token and make the client's.
    public func initialize() throws(Below.Failure) {
        let layer = try layer(top)
        guard case .initializing = layer.pointee.stage, let settings = layers.pointee.settings else {
            throw .proxy(.outOfStep)
        }
        var flags = UInt32(
            GSSAPI_MUTUAL | GSSAPI_REPLAY_DETECTION | GSSAPI_SEQUENCE_DETECTION
                | GSSAPI_INTEGRITY)
        if settings.protection == .confidentiality { flags |= UInt32(GSSAPI_CONFIDENTIALITY) }
        let needed = flags
        if settings.delegates { flags |= UInt32(GSSAPI_DELEGATION) }
        var output = gssapi_buffer()
        var granted: UInt32 = 0
        let token = layer.pointee.isReceived ? layer.pointee.token : gssapi_buffer()
        let service = settings.service
        let status = service.span.withUnsafeBufferPointer { text in
            guard let text = text.baseAddress else { return gssapi_status(major: GSSAPI_ERRORS, minor: 0) }
            return gssapi_initialize(&layer.pointee.context, text, flags, token, &output, &granted)
        }
        layer.pointee.received = 0
        guard status.major & GSSAPI_ERRORS == 0, output.length <= SecurityMessage.longestToken else {
            gssapi_release(&output)
            throw failed(status)
        }
        layers.pointee.failure = SecurityFailure()
        let isComplete = status.major & UInt32(GSSAPI_CONTINUE_NEEDED) == 0
        guard !isComplete || granted & needed == needed else {
            gssapi_release(&output)
            throw failed(gssapi_status())
        }
        if output.length > 0 || !isComplete {
            layer.pointee.send(output, .token)
            layer.pointee.stage = .sendingToken(isLast: isComplete)
        } else {
            gssapi_release(&output)
            try askForProtection(layer, settings)
        }
    }

    /// Goes as far as the stream allows.
    public func establish() throws(Below.Failure) -> Step {
        guard let settings = layers.pointee.settings else { throw .proxy(.outOfStep) }
        let layer = try layer(top)
        while true {
            switch layer.pointee.stage {
            case .initializing: return .initialize
            case .sendingToken(let isLast):
                guard try flush(top) else { return .waitsToSend }
                layer.pointee.stage = .receivingToken(isLast: isLast)
            case .receivingToken(let isLast):
                switch try receiveMessage(.token, top) {
                case .message: break
                case .waiting: return .waitsToReceive
                case .end: throw .proxy(.socks5(.closedInPlaceOfToken))
                }
                if isLast {
                    guard layer.pointee.token.length == 0 else { throw .proxy(.socks5(.messageForged)) }
                    layer.pointee.received = 0
                    try askForProtection(layer, settings)
                } else {
                    layer.pointee.stage = .initializing
                }
            case .sendingProtection:
                guard try flush(top) else { return .waitsToSend }
                layer.pointee.stage = .receivingProtection
            case .receivingProtection:
                switch try receiveMessage(.protection, top) {
                case .message: break
                case .waiting: return .waitsToReceive
                case .end: throw .proxy(.socks5(.closedInPlaceOfProtection))
                }
                try takeProtection(layer, settings)
                return .done
            case .established: throw .proxy(.outOfStep)
            }
        }
    }

    /// RFC 1961 section 4.3; without protection of the level itself where `usesNECForm`.
    private func askForProtection(
        _ layer: UnsafeMutablePointer<SecurityLayer>, _ settings: SecuritySettings
    ) throws(Below.Failure) {
        layer.pointee.stage = .sendingProtection
        var level = settings.protection.rawValue
        if settings.usesNECForm { return layer.pointee.send(plain: level) }
        guard let context = layer.pointee.context else { throw .proxy(.outOfStep) }
        var output = gssapi_buffer()
        var isSealed: Int32 = 0
        let status = withUnsafeMutableBytes(of: &level) { bytes in
            gssapi_wrap(context, 0, gssapi_buffer(length: 1, value: bytes.baseAddress), &isSealed, &output)
        }
        guard status.major & GSSAPI_ERRORS == 0, output.length <= SecurityMessage.longestToken else {
            gssapi_release(&output)
            throw failed(status)
        }
        layer.pointee.send(output, .protection)
    }

    private func takeProtection(
        _ layer: UnsafeMutablePointer<SecurityLayer>, _ settings: SecuritySettings
    ) throws(Below.Failure) {
        guard let context = layer.pointee.context else { throw .proxy(.outOfStep) }
        let token = layer.pointee.token
        layer.pointee.received = 0
        layers.pointee.settings = nil
        var level: UInt8?
        if settings.usesNECForm {
            if token.length == 1 { level = token.value?.load(as: UInt8.self) }
        } else {
            var output = gssapi_buffer()
            var isSealed: Int32 = 0
            let status = gssapi_unwrap(context, token, &isSealed, &output)
            defer { gssapi_release(&output) }
            guard status.major & GSSAPI_ERRORS == 0 else {
                layers.pointee.failure = SecurityFailure(status)
                throw .proxy(.socks5(.messageForged))
            }
            if output.length == 1 { level = output.value?.load(as: UInt8.self) }
        }
        guard let level else { throw .proxy(.socks5(.messageForged)) }
        guard level == settings.protection.rawValue else { throw .proxy(.socks5(.protectionRefused(level: level))) }
        if settings.protection == .none {
            layers.pointee.removeLast()
        } else {
            layer.pointee.stage = .established
        }
    }

    private func failed(_ status: gssapi_status) -> Below.Failure {
        layers.pointee.failure = SecurityFailure(status)
        return .proxy(.socks5(.mechanismFailed))
    }
}
