import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#endif

/// Drives one client's handshake over its channel. Then relays between the channel and the target's, or keeps the
/// channel open while the client's UDP association lasts.
///
/// Everything happens on the channel's event loop, where the target's channel lives too. While a step is being done
/// (`isBusy`), it keeps bytes that arrive, and records that they came early.
final class ConnectionHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let script: Script
    private let log: SessionLog
    private let index: Int
    private let gatherings: Gatherings
    private var handshake: any ServerHandshake
    private var shaper: OutputShaper
    private var inbox: [UInt8] = []
    private var isBusy = false
    /// The gathering that this client waits in before the proxy answers it.
    private var gathering: Gathering?
    private var inputIsClosed = false

    init(script: Script, log: SessionLog, index: Int, gatherings: Gatherings) {
        self.script = script
        self.log = log
        self.index = index
        self.gatherings = gatherings
        handshake = script.proxyProtocol.serverHandshake(script)
        shaper = OutputShaper(script: script)
    }

    func channelActive(context: ChannelHandlerContext) {
        // Some servers act before they are asked.
        step(context)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // A control connection has nothing more to say.
        guard association == nil else { return }
        inbox += unwrapInboundIn(data).readableBytesView
        guard !isBusy else {
            log.update(index) { $0.pipelined = true }
            return
        }
        step(context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event as? ChannelEvent == .inputClosed else { return context.fireUserInboundEventTriggered(event) }
        // A client that shuts down its sending side while we are at work may still want the answer.
        inputIsClosed = true
        // But a gathering no longer counts one that it keeps waiting.
        if gathering?.leave(index) == true || !isBusy { end(context, .abandoned) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        _ = gathering?.leave(index)
        log.update(index) { if $0.outcome == .inProgress { $0.outcome = .abandoned } }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(context, .abandoned)
    }

    private func step(_ context: ChannelHandlerContext) {
        isBusy = true
        var next = HandshakeStep.receive
        var (isGreeted, isAsked) = (false, false)
        log.update(index) { session in
            let before = session
            next = handshake.next(&inbox, &session)
            isGreeted = before.chosenMethod == nil && session.chosenMethod != nil
            isAsked = before.request == nil && session.request != nil
        }
        if isGreeted {
            gather(gatherings.greetings, script.gatheredGreetings, context) { self.perform(next, $0) }
        } else if isAsked {
            gather(gatherings.requests, script.gatheredRequests, context) { self.perform(next, $0) }
        } else {
            perform(next, context)
        }
    }

    private func perform(_ step: HandshakeStep, _ context: ChannelHandlerContext) {
        switch step {
        case .receive:
            isBusy = false
            if inputIsClosed { end(context, .abandoned) }
        case .send(let message):
            send(message, context) { self.step($0) }
        case .sendAndClose(let message, let outcome):
            send(message, context) { self.end($0, outcome) }
        case .open(let request):
            open(request, context)
        case .associate(let request):
            associate(request, context)
        case .resolve(let request):
            resolve(request, context)
        case .relay:
            log.update(index) { $0.outcome = .relaying }
            relay(context)
        case .close(let outcome):
            end(context, outcome)
        }
    }

    /// Continues when enough clients have reached the same point.
    private func gather(
        _ gathering: Gathering, _ size: Int, _ context: ChannelHandlerContext,
        then next: @escaping (ChannelHandlerContext) -> Void
    ) {
        guard size > 1 else { return next(context) }
        self.gathering = gathering
        gathering.join(index, size: size, eventLoop: context.eventLoop).assumeIsolated().whenSuccess {
            self.gathering = nil
            if context.channel.isActive { next(context) }
        }
    }

    // MARK: Sending

    private func send(
        _ message: [UInt8], _ context: ChannelHandlerContext, then next: @escaping (ChannelHandlerContext) -> Void
    ) {
        let (segments, end) = shaper.shape(message)
        after(script.delay, context) { context in
            self.send(segments[...], context) { context in
                switch end {
                case .more: next(context)
                case .close: self.end(context, .faulted)
                // Busy for ever: bytes that arrive stay unread, and the client decides when to close.
                case .hang: self.log.update(self.index) { $0.outcome = .faulted }
                }
            }
        }
    }

    private func send(
        _ segments: ArraySlice<[UInt8]>, _ context: ChannelHandlerContext,
        then next: @escaping (ChannelHandlerContext) -> Void
    ) {
        guard let segment = segments.first else { return next(context) }
        context.writeAndFlush(NIOAny(context.channel.allocator.buffer(bytes: segment)), promise: nil)
        let rest = segments.dropFirst()
        if rest.isEmpty { return next(context) }
        after(script.byteInterval ?? .zero, context) { self.send(rest, $0, then: next) }
    }

    /// Does it now, or later when there is something to wait for, unless the client is gone by then.
    private func after(
        _ delay: Duration, _ context: ChannelHandlerContext, _ body: @escaping (ChannelHandlerContext) -> Void
    ) {
        guard delay > .zero else { return body(context) }
        context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) {
            if context.channel.isActive { body(context) }
        }
    }

    private func end(_ context: ChannelHandlerContext, _ outcome: Session.Outcome) {
        log.update(index) { if $0.outcome == .inProgress { $0.outcome = outcome } }
        context.close(promise: nil)
    }

    // MARK: The target

    private var target: (any Channel)?

    private func open(_ request: Request, _ context: ChannelHandlerContext) {
        let opening = TargetConnector(script: script, eventLoop: context.eventLoop).connect(to: request.endpoint)
        opening.assumeIsolated().whenComplete { result in
            guard context.channel.isActive else {
                if case .success(let target) = result { target.close(promise: nil) }
                return
            }
            switch result {
            case .success(let target):
                self.target = target
                self.opened(at: target.localEndpoint, context)
            case .failure(let error):
                self.perform(self.handshake.failed(Reply.Code(error)), context)
            }
        }
        context.channel.closeFuture.assumeIsolated().whenComplete { _ in self.target?.close(promise: nil) }
    }

    private func opened(at endpoint: Endpoint, _ context: ChannelHandlerContext) {
        // Recorded before the reply, so that a test that looks after the reply sees it.
        if script.fault == nil { log.update(index) { $0.outcome = .relaying } }
        perform(handshake.opened(at: endpoint), context)
    }

    private func relay(_ context: ChannelHandlerContext) {
        if association != nil {
            isBusy = false
            if inputIsClosed { end(context, .abandoned) }
            return
        }
        guard let target else { return end(context, .faulted) }
        let (here, there) = RelayHandler.pair()
        do {
            try context.pipeline.syncOperations.addHandler(here, position: .after(self))
            try target.pipeline.syncOperations.addHandler(there)
        } catch {
            return end(context, .abandoned)
        }
        if !inbox.isEmpty { context.fireChannelRead(NIOAny(ByteBuffer(bytes: inbox))) }
        context.fireChannelReadComplete()
        if inputIsClosed { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
        target.setOption(.autoRead, value: true).whenComplete { _ in target.read() }
    }

    // MARK: Datagrams

    private var association: DatagramRelay?

    /// Opens the relay at the address at which the client found the proxy.
    private func associate(_ request: Request, _ context: ChannelHandlerContext) {
        let (channel, script) = (context.channel, script)
        let opening = AssociationSockets.open(
            at: channel.localEndpoint.address.unmapped, script: script, eventLoop: context.eventLoop)
        opening.assumeIsolated().whenComplete { result in
            guard case .success(let sockets) = result else { return self.fail(.generalFailure, context) }
            channel.closeFuture.assumeIsolated().whenComplete { _ in
                sockets.close()
                self.association = nil
            }
            guard channel.isActive else { return }
            let association = Association(
                script: script.datagrams, relay: sockets.relay.localEndpoint,
                clientAddress: channel.clientAddress, announcedPort: request.port)
            do {
                self.association = try DatagramRelay(
                    association, sockets: sockets,
                    resolver: Resolver(names: script.names, eventLoop: channel.eventLoop),
                    record: { record in self.log.update(self.index) { $0.association = record } },
                    end: { channel.close(promise: nil) })
            } catch {
                return self.fail(.generalFailure, context)
            }
            self.opened(at: association.record.relay, context)
        }
    }

    // MARK: Names

    private func resolve(_ request: Request, _ context: ChannelHandlerContext) {
        let resolver = Resolver(names: script.names, eventLoop: context.eventLoop)
        // A client may send an address as text, too.
        let numeric = Endpoint(Address(request.address.description), port: 0)
        let answer: EventLoopFuture<Address>
        switch (request.command, numeric.address) {
        case (.resolvePTR, .name):
            return fail(.addressTypeNotSupported, context)
        case (.resolvePTR, _):
            answer = resolver.addresses(of: numeric).flatMap { resolver.name(of: $0[0]) }.map { .name(Array($0.utf8)) }
        default:
            answer = resolver.addresses(of: numeric).flatMapThrowing { addresses in
                guard let first = addresses.first else { throw UnknownName(name: "\(numeric.address)") }
                return Address(first)
            }
        }
        answer.assumeIsolated().whenComplete { result in
            guard context.channel.isActive else { return }
            switch result {
            case .success(let address): self.perform(self.handshake.resolved(address), context)
            case .failure(let error): self.fail(Reply.Code(error), context)
            }
        }
    }

    private func fail(_ code: Reply.Code, _ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        perform(handshake.failed(code), context)
    }
}

extension Channel {
    /// The address of the client; nil for one that came by a path.
    fileprivate var clientAddress: Address? {
        guard let remoteAddress, remoteAddress.ipAddress != nil else { return nil }
        return Address(remoteAddress).unmapped
    }

    /// Its own address and port.
    fileprivate var localEndpoint: Endpoint {
        Endpoint(localAddress.map { Address($0) } ?? .ipv4([0, 0, 0, 0]), port: UInt16(localAddress?.port ?? 0))
    }
}

extension Reply.Code {
    /// The reply to a connection attempt that failed with this error.
    init(_ error: any Error) {
        self =
            switch error {
            case ChannelError.connectTimeout: .timeToLiveExpired
            case let error as IOError:
                switch error.errnoCode {
                case ECONNREFUSED: .connectionRefused
                case ENETUNREACH: .networkUnreachable
                case EHOSTUNREACH: .hostUnreachable
                case ETIMEDOUT: .timeToLiveExpired
                default: .generalFailure
                }
            case is UnknownName: .hostUnreachable
            default: .generalFailure
            }
    }
}
