import Addressing
import ProxyConfig
import SOCKS5
import Testing
import Tunnel

/// What a client and the proxies of a chain say to each other.
struct Conversation: CustomTestStringConvertible {
    var testDescription: String
    var proxies: [Proxy]
    var request = Request(command: .connect, destination: Conversation.target)
    var isolation: IsolationCredentials?
    /// Each message of the client, and what the proxies answer.
    var exchanges: [Exchange]
    /// BND.ADDR and BND.PORT of the last proxy.
    var boundAddress: String?

    struct Exchange: Equatable {
        var message, answer: [UInt8]
        /// The hop that is spoken with, and whether it is asked for what is wanted of it, after something else.
        var hop = 0
        var isAskedFor = false

        init(_ message: [UInt8], answer: [UInt8], hop: Int = 0, isAskedFor: Bool = false) {
            (self.message, self.answer, self.hop, self.isAskedFor) = (message, answer, hop, isAskedFor)
        }

        /// Lines of HTTP.
        init(_ message: String, answer: String, hop: Int = 0) {
            self.init(Array(message.utf8), answer: Array(answer.utf8), hop: hop)
        }
    }

    /// 192.0.2.1:443
    static var target: Endpoint { Endpoint(host: .address(.v4(IPv4Address(192, 0, 2, 1))), port: 443) }

    /// 10.0.0.`number`:1080
    static func proxy(_ type: ProxyType, _ number: UInt8, _ credentials: Credentials? = nil) -> Proxy {
        Proxy(type: type, host: .address(.v4(IPv4Address(10, 0, 0, number))), port: 1080, credentials: credentials)
    }

    static func credentials(_ user: String, _ password: String) -> Credentials {
        Credentials(user: Array(user.utf8), password: Array(password.utf8))
    }

    var handshake: ChainHandshake { ChainHandshake(for: request, through: chain) }

    var chain: Chain {
        var chain = Chain()
        for index in proxies.indices { _ = chain.append(index) }
        return chain
    }

    /// The outcome at the client's side.
    struct Outcome {
        var exchanges: [Exchange] = []
        var handshake: ChainHandshake
        var failure: ScriptedStream.Failure?
        /// What was left on the stream when the handshakes were over.
        var rest: [UInt8] = []
    }

    /// Has the client speak with proxies that answer so.
    ///
    /// - Parameters:
    ///   - pieces: the lengths of what arrives at a time; the last one goes for all that comes after.
    ///   - room: how many bytes are sent at a time.
    ///   - following: comes right after the last answer.
    ///   - end: how many bytes of all answers come before the proxies close; nil: all, and they do not.
    ///   - carries: what becomes of the handshake wherever it has to wait, beside the buffers.
    func held(
        pieces: [Int] = [.max], room: Int = .max, following: [UInt8] = [], end: Int? = nil,
        carries: (ChainHandshake) -> ChainHandshake = { $0 }
    ) -> Outcome {
        let stream = ScriptedStream()
        stream.room = room
        var outcome = Outcome(handshake: handshake)
        var (pieces, left, underWay) = (pieces[...], end ?? .max, [UInt8]())
        while true {
            let progress: ChainHandshake.Progress
            do throws(ScriptedStream.Failure) {
                progress = try stream.advance(&outcome.handshake, through: proxies, isolation: isolation)
            } catch {
                outcome.failure = error
                return outcome
            }
            switch progress {
            case .established:
                outcome.rest = stream.incoming + underWay
                return outcome
            case .asked:
                let index = outcome.exchanges.count
                var answer = index < exchanges.count ? exchanges[index].answer : []
                outcome.exchanges.append(
                    Exchange(
                        stream.takeSent(), answer: answer, hop: outcome.handshake.hop,
                        isAskedFor: outcome.handshake.isAskedFor))
                answer = Array(answer.prefix(left))
                left -= answer.count
                underWay += answer + (index + 1 == exchanges.count ? following : [])
            case .waiting:
                outcome.handshake = carries(outcome.handshake)
                guard outcome.handshake.waitsToReceive else {
                    stream.room += room
                    break
                }
                if underWay.isEmpty, !stream.isEnded, left > 0, end == nil { return outcome }
                if underWay.isEmpty { stream.isEnded = true }
                let piece = pieces.count > 1 ? pieces.removeFirst() : pieces.first ?? .max
                stream.incoming += underWay.prefix(piece)
                underWay.removeFirst(min(piece, underWay.count))
            }
        }
    }
}
