import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#endif

/// A name that nobody has an address for.
struct UnknownName: Error {
    var name: String
}

/// Reaches what a request asks for, on the client's event loop, not reading from it yet.
struct TargetConnector {
    var script: Script
    var eventLoop: any EventLoop

    func connect(to request: Request) -> EventLoopFuture<any Channel> {
        let candidates: EventLoopFuture<[SocketAddress]>
        switch request.address {
        case .ipv4(let bytes), .ipv6(let bytes):
            candidates = eventLoop.makeCompletedFuture {
                [try SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: Int(request.port))]
            }
        case .name(let bytes):
            candidates = resolve(String(decoding: bytes, as: UTF8.self), port: request.port)
        }
        return candidates.flatMap { connect(to: $0[...]) }
    }

    /// The first that accepts; if none does, the error of the last.
    private func connect(to candidates: ArraySlice<SocketAddress>) -> EventLoopFuture<any Channel> {
        guard let address = candidates.first else {
            return eventLoop.makeFailedFuture(UnknownName(name: ""))
        }
        let attempt = ClientBootstrap(group: eventLoop)
            .connectTimeout(TimeAmount(script.connectTimeout))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.autoRead, value: false)
            .connect(to: address)
        let rest = candidates.dropFirst()
        return rest.isEmpty ? attempt : attempt.flatMapError { _ in connect(to: rest) }
    }

    private func resolve(_ name: String, port: UInt16) -> EventLoopFuture<[SocketAddress]> {
        if let addresses = script.names[name.lowercased()] {
            return eventLoop.makeCompletedFuture {
                try addresses.map { try SocketAddress(ipAddress: $0, port: Int(port)) }
            }
        }
        // getaddrinfo(3) waits, so it must not be called on the event loop.
        return NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) { try systemAddresses(of: name, port: port) }
    }
}

/// The addresses of a name as the system knows them.
private func systemAddresses(of name: String, port: UInt16) throws -> [SocketAddress] {
    var hints = addrinfo()
    hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(name, nil, &hints, &list) == 0 else { throw UnknownName(name: name) }
    defer { freeaddrinfo(list) }
    var addresses: [SocketAddress] = []
    var entry = list
    while let information = entry?.pointee {
        defer { entry = information.ai_next }
        guard let address = information.ai_addr else { continue }
        var numeric = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        guard
            getnameinfo(
                address, information.ai_addrlen, &numeric, socklen_t(numeric.count), nil, 0, NI_NUMERICHOST) == 0
        else { continue }
        let text = String(decoding: numeric.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        addresses.append(try SocketAddress(ipAddress: text, port: Int(port)))
    }
    return addresses
}
