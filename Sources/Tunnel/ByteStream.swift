/// A non-blocking connection for handshakes. A call that would have to wait returns nil.
public protocol ByteStream {
    associatedtype Failure: TunnelFailure

    /// Sends some of the bytes; returns how many, at least one.
    func send(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> Int?
    /// Receives bytes; returns how many, 0 at the end of the stream.
    func receive(into room: UnsafeMutableRawBufferPointer) throws(Failure) -> Int?
    /// Like `receive`, but leaves the bytes in the stream.
    func peek(into room: UnsafeMutableRawBufferPointer) throws(Failure) -> Int?
}
