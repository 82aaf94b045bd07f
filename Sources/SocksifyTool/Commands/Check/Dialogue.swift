import ProxyConfig
import SOCKS5
import Tunnel

/// One connection through a chain of proxies, made as the library makes it; a record of how far it came.
struct Dialogue {
    /// What one proxy of the chain did.
    struct Hop {
        /// How it was agreed who the client is; nil where the protocol has no such step.
        var method: String?
        var login = StepOutcome.untried
        /// The request for the next proxy, or for what is wanted in the end.
        var request = StepOutcome.untried
        /// How many messages it was sent before it was asked for anything.
        fileprivate var messages = 0
    }

    /// The connection to the first proxy.
    private(set) var reach = StepOutcome.untried
    /// As many as the chain has proxies.
    private(set) var hops: [Hop]
    /// Everything together.
    private(set) var milliseconds = 0.0
    private var stepBegan = monotonicMilliseconds()

    /// Which proxy of the chain failed, and how; nil when none did.
    var failure: (hop: Int, reason: String)? {
        if case .failed(let reason) = reach { return (0, reason) }
        for (index, hop) in hops.enumerated() {
            if case .failed(let reason) = hop.login { return (index, reason) }
            if case .failed(let reason) = hop.request { return (index, reason) }
        }
        return nil
    }

    /// One that did not begin, for the reason given.
    init(failing reason: String, hops count: Int) {
        reach = .failed(reason)
        hops = Array(repeating: Hop(), count: count)
    }

    /// Does it all, and returns when the connection is closed again.
    ///
    /// - Parameters:
    ///   - proxies: one or more, with their passwords.
    ///   - first: where the first of them is.
    ///   - request: what the last is asked for; nil for nothing.
    ///   - isolation: for SOCKS5 proxies without credentials; nil for none.
    ///   - timeout: milliseconds for each step.
    init(
        _ proxies: [Proxy], first: ProxySocketAddress, request: Request?, isolation: IsolationCredentials?,
        timeout: Double
    ) {
        hops = Array(repeating: Hop(), count: proxies.count)
        let began = stepBegan
        do throws(StepFailure) {
            let connection = try WaitingConnection(to: first, timeout: timeout)
            reach = .passed(milliseconds: endStep())
            if var handshake = Self.handshake(with: proxies, request, overIPv6: connection.isOverIPv6) {
                speak(with: proxies, by: &handshake, over: connection, isolation)
            }
        } catch {
            reach = .failed(error.reason)
        }
        milliseconds = monotonicMilliseconds() - began
    }

    /// That with the proxies which are asked for anything; nil when there are none.
    private static func handshake(with proxies: [Proxy], _ request: Request?, overIPv6: Bool) -> ChainHandshake? {
        var (asked, request) = (proxies, request)
        if request == nil, case .network(let endpoint)? = asked.popLast()?.location {
            request = Request(command: .connect, destination: endpoint)
        }
        guard !asked.isEmpty, var request else { return nil }
        if request.command == .udpAssociate { request = .associating(overIPv6: overIPv6) }
        var chain = Chain()
        for index in asked.indices { _ = chain.append(index) }
        return ChainHandshake(for: request, through: chain)
    }

    private mutating func speak(
        with proxies: [Proxy], by handshake: inout ChainHandshake, over connection: WaitingConnection,
        _ isolation: IsolationCredentials?
    ) {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: HandshakeBuffers.size, alignment: 8)
        defer { memory.deallocate() }
        var progress = ChainHandshake.Progress.waiting
        do throws(StepFailure) {
            repeat {
                progress = try handshake.advance(
                    over: connection, through: proxies.span, isolation: isolation, HandshakeBuffers(memory: memory))
                note(handshake, progress, proxies)
                switch progress {
                case .asked: connection.beginStep()
                case .waiting: try connection.wait(toReceive: handshake.waitsToReceive)
                case .established: break
                }
            } while progress != .established
        } catch {
            note(handshake, .waiting, proxies)
            if proxies[handshake.hop].type == .socks5, !handshake.isAskedFor {
                hops[handshake.hop].login = .failed(error.reason)
            } else {
                hops[handshake.hop].request = .failed(error.reason)
            }
        }
    }

    // MARK: The record

    /// Notes which steps are over.
    private mutating func note(
        _ handshake: ChainHandshake, _ progress: ChainHandshake.Progress, _ proxies: [Proxy]
    ) {
        let hop = handshake.hop
        for index in 0..<(progress == .established ? hop + 1 : hop) where hops[index].request == .untried {
            hops[index].request = .passed(milliseconds: endStep())
        }
        switch proxies[hop].type {
        case .socks5 where handshake.isAskedFor && hops[hop].login == .untried:
            if hops[hop].method == nil {
                hops[hop].method = proxies[hop].gssapi.map { "gssapi \($0.protection.text)" } ?? "none"
            }
            hops[hop].login = .passed(milliseconds: endStep())
        case .socks5 where progress == .asked && !handshake.isAskedFor:
            hops[hop].messages += 1
            if hops[hop].messages > 1 { hops[hop].method = "password" }
        case .http where proxies[hop].credentials != nil:
            hops[hop].method = "basic"
        case .socks5, .socks4, .http, .raw:
            break
        }
    }

    /// Returns how long the step took.
    private mutating func endStep() -> Double {
        let now = monotonicMilliseconds()
        defer { stepBegan = now }
        return now - stepBegan
    }
}
