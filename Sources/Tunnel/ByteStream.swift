/// A connection as handshakes use it. No call waits: one that would have to returns nil.
public protocol ByteStream {
    associatedtype Failure: TunnelFailure

    /// Sends some of the bytes; returns how many, at least one.
    func send(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> Int?
    /// Receives at most as many bytes as fit; returns how many, 0 at the end of the stream.
    func receive(into room: UnsafeMutableRawBufferPointer) throws(Failure) -> Int?
    /// The same, and leaves them there.
    func peek(into room: UnsafeMutableRawBufferPointer) throws(Failure) -> Int?
}

/// What the owner of a stream says of a failure: in words of its own where the stream has failed.
public protocol TunnelFailure: Error {
    /// A proxy has failed.
    static func proxy(_ error: ProxyError) -> Self
}
