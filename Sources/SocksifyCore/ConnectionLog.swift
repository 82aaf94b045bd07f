import Addressing
import ProxyConfig
import SOCKS5

/// The lines about a connection.
enum ConnectionLog {
    /// It is made.
    @inline(never)
    static func write(_ handshake: inout Handshake, _ configuration: Configuration) {
        Log.write(.info, configuration) { line in
            line.append("tcp ")
            handshake.destination.write(to: &line)
            line.append(" via ")
            writeProxy(handshake.hop, configuration, to: &line)
            line.append(" in ")
            line.append(decimal: Clock.now - handshake.started)
            line.append(" ms")
        }
    }

    /// It has failed. A proxy that cannot be spoken with is what a person must know of; a target that it cannot reach is
    /// what the program tells in its own words.
    @inline(never)
    static func write(_ handshake: inout Handshake, failedBy error: HandshakeError, _ configuration: Configuration) {
        var level = LogLevel.error
        if case .proxy(.rejected) = error, handshake.hop + 1 == configuration.proxies.count { level = .info }
        Log.write(level, configuration) { line in
            line.append("tcp ")
            handshake.destination.write(to: &line)
            line.append(": proxy ")
            writeProxy(handshake.hop, configuration, to: &line)
            line.append(" ")
            switch error {
            case .proxy(let error): error.write(to: &line)
            case .timedOut: line.append("did not answer in time")
            case .kernel(let errno):
                line.append(handshake.isConnecting ? "cannot be connected to: " : "failed: ")
                errno.write(to: &line)
            case .byKernel: line.append("cannot be connected to")
            }
        }
    }

    private static func writeProxy(_ hop: Int, _ configuration: Configuration, to line: inout LogLine) {
        guard hop < configuration.proxies.count else { return }
        let proxy = configuration.proxies[hop]
        Endpoint(host: proxy.host, port: proxy.port).write(to: &line)
    }
}
