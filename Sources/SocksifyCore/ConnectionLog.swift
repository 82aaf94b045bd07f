import Addressing
import ProxyConfig
import SOCKS5

/// The lines about a connection.
enum ConnectionLog {
    /// It is made.
    @inline(never)
    static func write(_ handshake: inout Handshake, _ purpose: Purpose, _ configuration: Configuration) {
        var level = LogLevel.info
        if case .exchange = purpose { level = .debug }
        Log.write(level, configuration) { line in
            writeSubject(purpose, handshake.destination, to: &line)
            line.append(" via ")
            writeProxy(handshake.hop, configuration, to: &line)
            line.append(" in ")
            line.append(decimal: Clock.now - handshake.started)
            line.append(" ms")
        }
    }

    /// It has failed. A proxy that cannot be spoken with, or does not carry datagrams, is what a person must know of; a
    /// target that it cannot reach is what the program tells in its own words.
    ///
    /// - Parameter isKnown: whether that the proxy does not carry datagrams was told before.
    @inline(never)
    static func write(
        _ handshake: inout Handshake, _ purpose: Purpose, failedBy error: HandshakeError, isKnown: Bool = false,
        _ configuration: Configuration
    ) {
        var level = LogLevel.error
        if case .proxy(.rejected) = error, handshake.hop + 1 == configuration.proxies.count {
            level = .info
            if case .association = purpose, !isKnown { level = .error }
        }
        Log.write(level, configuration) { line in
            writeSubject(purpose, handshake.destination, to: &line)
            if case .exchange(let exchange) = purpose, exchange.isUnderWay {
                line.append(": the name server ")
            } else {
                line.append(": proxy ")
                writeProxy(handshake.hop, configuration, to: &line)
                line.append(" ")
            }
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

    private static func writeSubject(_ purpose: Purpose, _ destination: Endpoint, to line: inout LogLine) {
        switch purpose {
        case .connection: line.append("tcp ")
        case .association, .lingering: return line.append("udp")
        case .exchange: line.append("dns ")
        }
        // Tor is asked for a name, not for a port.
        if destination.port == 0 { return destination.host.write(to: &line) }
        destination.write(to: &line)
    }

    private static func writeProxy(_ hop: Int, _ configuration: Configuration, to line: inout LogLine) {
        guard hop < configuration.proxies.count else { return }
        configuration.proxies[hop].location.write(to: &line)
    }
}
