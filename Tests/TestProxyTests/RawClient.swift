import Glibc

/// A blocking connection of a test that sends and receives raw bytes.
final class RawClient {
    private let descriptor: CInt

    init(port: Int) throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        descriptor = try connectedSocket(AF_INET, to: address)
    }

    /// Connects to a Unix-domain socket.
    init(path: String) throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        descriptor = try connectedSocket(AF_UNIX, to: address)
    }

    deinit { Glibc.close(descriptor) }

    struct Failure: Error, Equatable {
        var code: CInt
    }

    /// The error of the last call, or `TimedOut` after the limit.
    private func failure(_ awaited: @autoclosure () -> String) -> any Error {
        errno == EAGAIN ? TimedOut(awaited: awaited()) : Failure(code: errno)
    }

    func send(_ bytes: [UInt8]) { _ = Glibc.send(descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL)) }

    /// Ends the sending side.
    func finish() { shutdown(descriptor, CInt(SHUT_WR)) }

    /// The bytes of one receive; empty at the end.
    func receiveSome() throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count >= 0 else { throw failure("anything to receive, nor an end") }
        return Array(buffer[..<count])
    }

    /// Exactly that many bytes, or fewer if the other side ends before.
    func receive(_ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            var buffer = [UInt8](repeating: 0, count: count - bytes.count)
            let received = recv(descriptor, &buffer, buffer.count, 0)
            guard received >= 0 else { throw failure("an end, nor \(count) bytes, but only \(bytes)") }
            if received == 0 { break }
            bytes += buffer[..<received]
        }
        return bytes
    }

    /// All bytes until the other side ends.
    func receiveAll() throws -> [UInt8] { try receive(1 << 20) }

    /// Whether nothing arrives and the connection stays open, as far as the other side's last message shows.
    func isQuiet() -> Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, CInt(MSG_DONTWAIT)) < 0 && errno == EAGAIN
    }
}

private func connectedSocket(_ family: CInt, to address: some BitwiseCopyable) throws -> CInt {
    let descriptor = socket(family, CInt(SOCK_STREAM.rawValue), 0)
    TimedOut.limitCalls(on: descriptor)
    let result = withUnsafeBytes(of: address) {
        connect(descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
    }
    guard result == 0 else {
        let code = errno
        close(descriptor)
        throw RawClient.Failure(code: code)
    }
    return descriptor
}
