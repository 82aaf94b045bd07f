import Addressing
import ProxyConfig
import StreamSecurity
import Tunnel

/// The log lines about a connection.
enum ConnectionLog {
    /// Logs an established connection.
    @inline(never)
    static func write(_ handshake: inout Handshake, _ role: ConnectionRole, _ configuration: Configuration) {
        var level = LogLevel.info
        if case .transaction = role { level = .debug }
        Log.write(level, configuration) { line in
            writeSubject(role, handshake.destination, to: &line)
            line.append(" via ")
            for hop in 0..<handshake.chain.count {
                if hop > 0 { line.append(", ") }
                writeProxy(hop, &handshake, configuration, to: &line)
            }
            line.append(" in ")
            line.append(decimal: Clock.now - handshake.started)
            line.append(" ms")
        }
    }

    /// Logs a failure. It is an error if the proxy cannot be used, or carries no datagrams; the program itself reports
    /// an unreachable destination.
    ///
    /// - Parameters:
    ///   - isLast: whether no other proxy is tried.
    ///   - isKnown: whether the log already says that the proxy carries no datagrams.
    ///   - security: what the security mechanism may have said.
    @inline(never)
    static func write(
        _ handshake: inout Handshake, _ role: ConnectionRole, failedBy error: HandshakeError, isLast: Bool = true,
        isKnown: Bool = false, _ security: UnsafeMutablePointer<SecurityLayers>?, _ configuration: Configuration
    ) {
        var level = isLast ? LogLevel.error : .warning
        if error.isRefusal, handshake.isAtLastHop {
            level = .info
            if case .association = role, !isKnown { level = .error }
        }
        Log.write(level, configuration) { line in
            writeSubject(role, handshake.destination, to: &line)
            if case .transaction(let transaction) = role, transaction.isUnderWay {
                line.append(": the name server ")
            } else {
                line.append(": proxy ")
                writeHop(&handshake, error, configuration, to: &line)
                line.append(" ")
            }
            switch error {
            case .proxy(let error), .refusedAtOnce(let error):
                error.write(to: &line)
                if let security, !security.pointee.failure.isEmpty {
                    line.append(": ")
                    security.pointee.failure.forEachByte { line.append($0) }
                }
            case .timedOut: line.append("did not answer in time")
            case .kernel(let errno):
                line.append(handshake.isConnecting ? "cannot be connected to: " : "failed: ")
                errno.write(to: &line)
            case .byKernel: line.append("cannot be connected to")
            }
            if !isLast { line.append("; another is tried") }
        }
    }

    @inline(never)
    private static func writeSubject(_ role: ConnectionRole, _ destination: Endpoint, to line: inout LogLine) {
        switch role {
        case .connection: line.append("tcp ")
        case .association, .lingering: return line.append("udp")
        case .transaction: line.append("dns ")
        }
        // Tor resolves a name, without a port.
        if destination.port == 0 { return destination.host.write(to: &line) }
        destination.write(to: &line)
    }

    /// Writes the present proxy, its index in the chain, and its request unless that is for the target.
    private static func writeHop(
        _ handshake: inout Handshake, _ error: HandshakeError, _ configuration: Configuration, to line: inout LogLine
    ) {
        writeProxy(handshake.hop, &handshake, configuration, to: &line)
        guard handshake.chain.count > 1 else { return }
        line.append(" (hop ")
        line.append(decimal: handshake.hop + 1)
        line.append(" of ")
        line.append(decimal: handshake.chain.count)
        line.append(")")
        guard !handshake.isAtLastHop, handshake.tunnel.isAskedFor || error.isRefusal else { return }
        line.append(", asked for ")
        writeProxy(handshake.hop + 1, &handshake, configuration, to: &line)
        line.append(",")
    }

    @inline(never)
    private static func writeProxy(
        _ hop: Int, _ handshake: inout Handshake, _ configuration: Configuration, to line: inout LogLine
    ) {
        guard let index = handshake.chain[hop] else { return }
        configuration.proxies[index].location.write(to: &line)
    }
}
