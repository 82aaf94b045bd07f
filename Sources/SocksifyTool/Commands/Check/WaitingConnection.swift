import Glibc
import ProxyConfig
import StreamSecurity
import Tunnel

/// Milliseconds of a clock that only goes forward.
func monotonicMilliseconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) * 1000 + Double(time.tv_nsec) / 1_000_000
}

/// A stream connection, and a limit for what is waited for.
final class WaitingConnection: ByteStream {
    let isOverIPv6: Bool
    private let descriptor: Int32
    private let timeout: Double
    /// Of the present step, by `monotonicMilliseconds`.
    private var deadline: Double
    /// The contexts with proxies that are authenticated with by GSSAPI.
    private var layers: UnsafeMutablePointer<SecurityLayers>?

    /// - Parameter timeout: milliseconds for this step, and for each of those that follow.
    init(to address: ProxySocketAddress, timeout: Double) throws(StepFailure) {
        self.timeout = timeout
        deadline = monotonicMilliseconds() + timeout
        let family =
            switch address {
            case .network(.v4, _): AF_INET
            case .network(.v6, _): AF_INET6
            case .unixSocket: AF_UNIX
            }
        isOverIPv6 = family == AF_INET6
        descriptor = socket(
            family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw StepFailure(reason: "no socket: \(describe(errno))") }
        let status = withSocketAddress(of: address) { Glibc.connect(descriptor, $0, $1) }
        guard status == 0 || errno == EINPROGRESS else { throw Self.connectFailure(errno) }
        if status != 0 {
            try wait(for: POLLOUT, "no connection")
            var error: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length)
            guard error == 0 else { throw Self.connectFailure(error) }
        }
        beginStep()
    }

    deinit {
        if let layers { SecurityLayers.discard(layers) }
        if descriptor >= 0 { close(descriptor) }
    }

    private static func connectFailure(_ error: Int32) -> StepFailure {
        let hint = error == ECONNREFUSED || error == ENOENT ? "; is the proxy running?" : ""
        return StepFailure(reason: "cannot be connected to: \(describe(error))\(hint)")
    }

    // MARK: The stream

    private var stream: DescriptorStream { DescriptorStream(descriptor: descriptor) }

    /// The stream above the socket's; nil where no bytes are encapsulated.
    private var secured: SecuredStream<DescriptorStream>? {
        guard let layers, !layers.pointee.areEmpty else { return nil }
        return SecuredStream(over: stream, layers)
    }

    func secure(_ index: Int, _ proxies: Span<Proxy>) throws(StepFailure) -> Securing {
        guard let layers = layers ?? SecurityLayers.make() else { throw StepFailure(reason: "out of memory") }
        self.layers = layers
        let secured = SecuredStream(over: stream, layers)
        do throws(StepFailure) {
            if !secured.isEstablishing { try secured.begin(with: proxies[index]) }
            while true {
                switch try secured.establish() {
                case .initialize: try secured.initialize()
                case .waitsToSend: return .waitsToSend
                case .waitsToReceive: return .waitsToReceive
                case .done: return .done
                }
            }
        } catch {
            var failure = error
            var text: [UInt8] = []
            layers.pointee.failure.forEachByte { text.append($0) }
            if !text.isEmpty { failure.reason += ": \(String(decoding: text, as: UTF8.self))" }
            throw failure
        }
    }

    func send(_ bytes: UnsafeRawBufferPointer) throws(StepFailure) -> Int? {
        guard let secured else { return try stream.send(bytes) }
        return try secured.send(bytes)
    }

    func receive(into room: UnsafeMutableRawBufferPointer) throws(StepFailure) -> Int? {
        guard let secured else { return try stream.receive(into: room) }
        guard try secured.flush() else { return nil }
        return try secured.receive(into: room)
    }

    func peek(into room: UnsafeMutableRawBufferPointer) throws(StepFailure) -> Int? {
        guard let secured else { return try stream.peek(into: room) }
        guard try secured.flush() else { return nil }
        return try secured.peek(into: room)
    }

    // MARK: Waiting

    /// From now on the next step has its time.
    func beginStep() { deadline = monotonicMilliseconds() + timeout }

    /// Waits for bytes, or for room for some.
    func wait(toReceive: Bool) throws(StepFailure) {
        try wait(for: toReceive ? POLLIN : POLLOUT, toReceive ? "no answer" : "takes nothing")
    }

    private func wait(for event: Int32, _ lack: String) throws(StepFailure) {
        while true {
            let left = deadline - monotonicMilliseconds()
            var poll = pollfd(fd: descriptor, events: Int16(event), revents: 0)
            let count = left > 0 ? Glibc.poll(&poll, 1, Int32(min(left.rounded(.up), 1e9))) : 0
            if count > 0 { return }
            if count == 0, left <= 0 {
                throw StepFailure(reason: "\(lack) within \(shownSeconds(timeout))")
            }
        }
    }
}

private func shownSeconds(_ milliseconds: Double) -> String {
    let seconds = milliseconds / 1000
    let number = seconds == seconds.rounded() ? String(Int(seconds)) : String(seconds)
    return "\(number) \(number == "1" ? "second" : "seconds")"
}

private func withSocketAddress<Result>(
    of address: ProxySocketAddress, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
) -> Result {
    func call<Address>(_ address: Address) -> Result {
        withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }
    switch address {
    case .network(.v4(let host), let port):
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = host.value.bigEndian
        return call(address)
    case .network(.v6(let host), let port):
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        let octets = host.octets
        withUnsafeMutableBytes(of: &address.sin6_addr) { for index in octets.indices { $0[index] = octets[index] } }
        return call(address)
    case .unixSocket(let path):
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // The grammar takes no path that does not fit.
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.prefix($0.count - 1)) }
        return call(address)
    }
}
