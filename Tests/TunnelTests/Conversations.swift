import Addressing
import ProxyConfig
import SOCKS5
import Tunnel

/// Chains that do what they are asked for.
extension Conversation {
    static let good: [Conversation] = [
        socks5, socks5WithPassword, socks5Isolated, association, socks4, socks4a, http, httpWithPassword, raw,
        rawBeforeSOCKS5, twoHops, threeHops,
    ]

    static let socks5 = Conversation(
        testDescription: "SOCKS5", proxies: [proxy(.socks5, 1)],
        exchanges: [
            Exchange([5, 1, 0], answer: [5, 0]),
            Exchange(
                [5, 1, 0, 1, 192, 0, 2, 1, 1, 187], answer: [5, 0, 0, 1, 10, 0, 0, 9, 4, 56], isAskedFor: true),
        ], boundAddress: "10.0.0.9:1080")

    static let socks5WithPassword = Conversation(
        testDescription: "SOCKS5 with user and password",
        proxies: [proxy(.socks5, 1, credentials("me", "pwd"))],
        exchanges: [
            Exchange([5, 2, 0, 2], answer: [5, 2]),
            Exchange([1, 2, 109, 101, 3, 112, 119, 100], answer: [1, 0]),
            Exchange(
                [5, 1, 0, 1, 192, 0, 2, 1, 1, 187], answer: [5, 0, 0, 3, 2, 97, 98, 4, 56], isAskedFor: true),
        ], boundAddress: "ab:1080")

    static let socks5Isolated = Conversation(
        testDescription: "SOCKS5 with a user name that keeps connections apart", proxies: [proxy(.socks5, 1)],
        isolation: IsolationCredentials(upper: 0x0123_4567_89ab_cdef, lower: 0xf0),
        exchanges: [
            Exchange([5, 2, 0, 2], answer: [5, 2]),
            Exchange(
                [1, 32] + Array("0123456789abcdef00000000000000f0".utf8) + [32]
                    + Array("0123456789abcdef00000000000000f0".utf8), answer: [1, 0]),
            Exchange(
                [5, 1, 0, 1, 192, 0, 2, 1, 1, 187], answer: [5, 0, 0, 1, 0, 0, 0, 0, 0, 0], isAskedFor: true),
        ], boundAddress: "0.0.0.0:0")

    static let association = Conversation(
        testDescription: "UDP ASSOCIATE", proxies: [proxy(.socks5, 1)], request: .associating(overIPv6: true),
        exchanges: [
            Exchange([5, 1, 0], answer: [5, 0]),
            Exchange(
                [5, 3, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
                answer: [5, 0, 0, 4, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 4, 56],
                isAskedFor: true),
        ], boundAddress: "[2001:db8::1]:1080")

    static let socks4 = Conversation(
        testDescription: "SOCKS4", proxies: [proxy(.socks4, 1, credentials("me", ""))],
        exchanges: [
            Exchange([4, 1, 1, 187, 192, 0, 2, 1, 109, 101, 0], answer: [0, 90, 1, 187, 192, 0, 2, 1])
        ])

    static let socks4a = Conversation(
        testDescription: "SOCKS4a", proxies: [proxy(.socks4, 1)],
        request: Request(
            command: .connect, destination: Endpoint(host: .name(HostName([119, 101, 98].span)!), port: 80)),
        exchanges: [
            Exchange([4, 1, 0, 80, 0, 0, 0, 1, 0, 119, 101, 98, 0], answer: [0, 90, 0, 0, 0, 0, 0, 0])
        ])

    static let http = Conversation(
        testDescription: "HTTP", proxies: [proxy(.http, 1)],
        exchanges: [
            Exchange(
                "CONNECT 192.0.2.1:443 HTTP/1.1\r\nHost: 192.0.2.1:443\r\n\r\n",
                answer: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nVia: x\r\n\r\n")
        ])

    static let httpWithPassword = Conversation(
        testDescription: "HTTP with user and password", proxies: [proxy(.http, 1, credentials("me", "pwd"))],
        isolation: IsolationCredentials(upper: 1, lower: 2),
        exchanges: [
            Exchange(
                "CONNECT 192.0.2.1:443 HTTP/1.1\r\nHost: 192.0.2.1:443\r\n"
                    + "Proxy-Authorization: Basic bWU6cHdk\r\n\r\n",
                answer: "HTTP/1.0 200\n\n")
        ])

    static let raw = Conversation(testDescription: "raw", proxies: [proxy(.raw, 1)], exchanges: [])

    static let rawBeforeSOCKS5 = Conversation(
        testDescription: "raw, then SOCKS5", proxies: [proxy(.raw, 1), proxy(.socks5, 2)],
        exchanges: [
            Exchange([5, 1, 0], answer: [5, 0], hop: 1),
            Exchange(
                [5, 1, 0, 1, 192, 0, 2, 1, 1, 187], answer: [5, 0, 0, 1, 0, 0, 0, 0, 0, 0], hop: 1,
                isAskedFor: true),
        ], boundAddress: "0.0.0.0:0")

    static let twoHops = Conversation(
        testDescription: "SOCKS5, then SOCKS5 with user and password",
        proxies: [proxy(.socks5, 1), proxy(.socks5, 2, credentials("a", "b"))],
        exchanges: [
            Exchange([5, 1, 0], answer: [5, 0]),
            Exchange(
                [5, 1, 0, 1, 10, 0, 0, 2, 4, 56], answer: [5, 0, 0, 1, 7, 7, 7, 7, 7, 7], isAskedFor: true),
            Exchange([5, 2, 0, 2], answer: [5, 2], hop: 1),
            Exchange([1, 1, 97, 1, 98], answer: [5, 0], hop: 1),
            Exchange(
                [5, 1, 0, 1, 192, 0, 2, 1, 1, 187], answer: [5, 0, 0, 1, 1, 2, 3, 4, 0, 5], hop: 1,
                isAskedFor: true),
        ], boundAddress: "1.2.3.4:5")

    static let threeHops = Conversation(
        testDescription: "HTTP, then SOCKS4, then SOCKS5",
        proxies: [proxy(.http, 1), proxy(.socks4, 2), proxy(.socks5, 3)],
        exchanges: [
            Exchange(
                "CONNECT 10.0.0.2:1080 HTTP/1.1\r\nHost: 10.0.0.2:1080\r\n\r\n", answer: "HTTP/1.1 200 OK\r\n\r\n"),
            Exchange([4, 1, 4, 56, 10, 0, 0, 3, 0], answer: [4, 90, 0, 0, 0, 0, 0, 0], hop: 1),
            Exchange([5, 1, 0], answer: [5, 0], hop: 2),
            Exchange(
                [5, 1, 0, 1, 192, 0, 2, 1, 1, 187], answer: [5, 0, 0, 1, 1, 2, 3, 4, 0, 5], hop: 2,
                isAskedFor: true),
        ], boundAddress: "1.2.3.4:5")
}
