import NIOCore
import NIOPosix
import Synchronization

#if canImport(Glibc)
import Glibc
#endif

/// A proxy for tests, the demonstration and the benchmark: it does as its `Script` says, and records what it
/// was asked.
public final class TestProxy: Stoppable {
    private let listener: Listener
    private let log: SessionLog
    private let scripts: Scripts

    /// The address or the path that it listens at.
    public let host: String
    public var port: Int { listener.port }

    private init(listener: Listener, log: SessionLog, scripts: Scripts, host: String) {
        self.listener = listener
        self.log = log
        self.scripts = scripts
        self.host = host
    }

    /// Starts a proxy that treats every connection as `script` says, and passes each session to `report` once its
    /// outcome is known. Port 0 takes any that is free.
    public static func start(
        host: String = "127.0.0.1", port: Int = 0, script: Script = Script(),
        report: (@Sendable (Session) -> Void)? = nil
    ) async throws -> TestProxy {
        try await start(host: host, script: script, report: report) {
            try await Listener.start(host: host, port: port, initializer: $0)
        }
    }

    /// Starts a proxy as before, at a Unix-domain socket; the port is then 0, and the path is removed in the end.
    public static func start(
        unixPath path: String, script: Script = Script(), report: (@Sendable (Session) -> Void)? = nil
    ) async throws -> TestProxy {
        try await start(host: path, script: script, report: report) {
            try await Listener.start(unixPath: path, initializer: $0)
        }
    }

    private static func start(
        host: String, script: Script, report: (@Sendable (Session) -> Void)?,
        listening listen: (@escaping @Sendable (any Channel) throws -> Void) async throws -> Listener
    ) async throws -> TestProxy {
        let (log, scripts, gatherings) = (SessionLog(report: report), Scripts(script), Gatherings())
        let listener = try await listen { channel in
            let index = log.begin(client: channel.remoteAddress?.ipAddress ?? "?")
            let script = scripts.script(for: index)
            log.update(index) { $0.proxyProtocol = script.proxyProtocol }
            channel.closeFuture.whenComplete { _ in log.update(index) { $0.ended = true } }
            if script.resets, let options = channel as? any SocketOptionProvider {
                // To close with nothing to linger for is to reset.
                options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenFailure { _ in channel.close(promise: nil) }
            }
            if script.neverReads { try channel.syncOptions?.setOption(.autoRead, value: false) }
            try channel.pipeline.syncOperations.addHandler(
                ConnectionHandler(script: script, log: log, index: index, gatherings: gatherings))
        }
        return TestProxy(listener: listener, log: log, scripts: scripts, host: host)
    }

    /// What happened so far, in the order in which the connections were made.
    public var sessions: [Session] { log.sessions }

    /// The sessions, once there are `count` of them that ended; an error if that takes longer than the time given.
    public func sessions(ended count: Int, within time: Duration = .seconds(60)) async throws -> [Session] {
        try await sessions(within: time) { $0.count(where: \.ended) >= count }
    }

    /// The sessions, once they are as `condition` says; an error if that takes longer than the time given.
    public func sessions(
        within time: Duration = .seconds(60), until condition: @escaping @Sendable ([Session]) -> Bool
    ) async throws -> [Session] {
        try await log.wait(within: time, until: condition)
        return log.sessions
    }

    /// Applies `script` to all later connections.
    public func follow(_ script: Script) { scripts.follow { _ in script } }

    /// Applies to each later connection the script for its number; the proxy's first connection has number 0.
    public func follow(_ script: @escaping @Sendable (Int) -> Script) { scripts.follow(script) }

    /// Stops listening and ends every connection. The port stays closed for as long as this lives.
    public func stop() async { await listener.stop() }
}

/// The script for each connection. Written by tests, read on the event loops.
private final class Scripts: Sendable {
    private let current: Mutex<@Sendable (Int) -> Script>

    init(_ script: Script) { current = Mutex { _ in script } }

    func follow(_ script: @escaping @Sendable (Int) -> Script) { current.withLock { $0 = script } }

    func script(for index: Int) -> Script { current.withLock { $0 }(index) }
}
