import ProxyConfig

/// A non-blocking connection for handshakes. A call that would have to wait returns nil.
public protocol ByteStream {
    associatedtype Failure: TunnelFailure

    /// Establishes a security context with a proxy, and agrees on the protection of messages (RFC 1961 sections 3 and
    /// 4), as far as the stream allows. From then on the stream encapsulates the bytes as agreed.
    ///
    /// - Parameter index: the proxy's among `proxies`.
    func secure(_ index: Int, _ proxies: Span<Proxy>) throws(Failure) -> Securing
    /// Sends some of the bytes; returns how many, at least one.
    func send(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> Int?
    /// Sends some of the bytes of two parts, one of which may be empty.
    func send(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) throws(Failure) -> Int?
    /// Receives bytes; returns how many, 0 at the end of the stream.
    func receive(into room: UnsafeMutableRawBufferPointer) throws(Failure) -> Int?
    /// Like `receive`, but leaves the bytes in the stream.
    func peek(into room: UnsafeMutableRawBufferPointer) throws(Failure) -> Int?
    /// How many bytes can be received without waiting; 0 if that is unknown.
    var receivable: Int { get }
}

extension ByteStream {
    public var receivable: Int { 0 }

    public func send(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) throws(Failure) -> Int? {
        try send(first.isEmpty ? second : first)
    }
}
