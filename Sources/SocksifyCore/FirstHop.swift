import Addressing
import CLibC
import ProxyConfig
import Synchronization

/// The addresses of the proxy that connections are made to.
///
/// A name is looked up by libc's resolver at the first connection, once; where that fails, at the next one again,
/// because a machine may be started before its network.
struct FirstHop: @unchecked Sendable {
    private let host: Host
    let port: UInt16
    /// The number of addresses that were found, then the addresses.
    private let memory: UnsafeMutableRawPointer

    private static var largestCount: Int { 16 }
    private static var addressesOffset: Int { 64 }
    static var size: Int { addressesOffset + largestCount * MemoryLayout<IPAddress>.stride }

    /// - Parameter memory: `size` bytes, zero-filled.
    init(_ proxy: Endpoint, memory: UnsafeMutableRawPointer) {
        host = proxy.host
        port = proxy.port
        self.memory = memory
        if case .address(let address) = proxy.host {
            store(address, at: 0)
            count.pointee.store(1, ordering: .releasing)
        }
    }

    private var count: UnsafeMutablePointer<Atomic<UInt64>> { memory.assumingMemoryBound(to: Atomic<UInt64>.self) }

    private func store(_ address: IPAddress, at index: Int) {
        let offset = FirstHop.addressesOffset + index * MemoryLayout<IPAddress>.stride
        memory.storeBytes(of: address, toByteOffset: offset, as: IPAddress.self)
    }

    private func load(_ index: Int) -> IPAddress {
        let offset = FirstHop.addressesOffset + index * MemoryLayout<IPAddress>.stride
        return memory.load(fromByteOffset: offset, as: IPAddress.self)
    }

    enum Lookup {
        case found
        case failed
        /// This very thread is looking the name up: the connection is the resolver's.
        case underWay
    }

    /// Sees to it that the addresses are known.
    func lookUp() -> Lookup {
        guard count.pointee.load(ordering: .acquiring) == 0, case .name(let name) = host else { return .found }
        let lock = ThreadLock(socksify_runtime_lock_word())
        if case .isOwn = lock.acquire() { return .underWay }
        defer { lock.release() }
        if count.pointee.load(ordering: .acquiring) == 0 {
            count.pointee.store(UInt64(resolve(name)), ordering: .releasing)
        }
        return count.pointee.load(ordering: .relaxed) > 0 ? .found : .failed
    }

    private func resolve(_ name: HostName) -> Int {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = withCString(name) { real_call_getaddrinfo($0, nil, &hints, &list) }
        guard code == 0, let first = list else { return 0 }
        defer { real_call_freeaddrinfo(first) }
        var found = 0
        while let entry = list?.pointee, found < FirstHop.largestCount {
            if let address = SocketAddress(UnsafePointer(entry.ai_addr), length: entry.ai_addrlen) {
                store(address.address, at: found)
                found += 1
            }
            list = entry.ai_next
        }
        return found
    }

    /// Whether a connection to this address is one to the proxy itself.
    func matches(_ address: SocketAddress) -> Bool {
        guard address.port == port else { return false }
        for index in 0..<known where load(index).unmapped == address.address.unmapped { return true }
        return false
    }

    /// The proxy's address in the form that a socket takes which is used with addresses of `destination`'s family;
    /// nil when it has none.
    func address(for destination: SocketAddress) -> SocketAddress? {
        for index in 0..<known {
            if let address = SocketAddress(address: load(index), port: port).inFamily(of: destination) {
                return address
            }
        }
        return nil
    }

    /// Whether the proxy can be reached by IPv6 alone.
    var isIPv6Only: Bool {
        for index in 0..<known {
            if case .v4 = load(index).unmapped { return false }
        }
        return known > 0
    }

    private var known: Int { Int(count.pointee.load(ordering: .acquiring)) }
}

extension Runtime {
    /// What `findProxy` says.
    enum ProxySearch {
        case known
        /// The call is one of the search itself.
        case itself
        /// The proxy's name cannot be resolved, which has been told.
        case unknown
    }

    /// Sees to it that the first proxy's addresses are known.
    func findProxy() -> ProxySearch {
        switch firstHop.lookUp() {
        case .found: return .known
        case .underWay: return .itself
        case .failed:
            Log.write(.error, configuration) { $0.append("the proxy's name cannot be resolved") }
            return .unknown
        }
    }
}

/// Runs `body` with the name as a C string. A byte of zero inside ends it early.
func withCString<Result>(_ name: HostName, _ body: (UnsafePointer<CChar>) -> Result) -> Result {
    var text = InlineArray<256, CChar>(repeating: 0)
    let bytes = name.bytes
    for index in bytes.indices { text[index] = CChar(bitPattern: bytes[index]) }
    return text.span.withUnsafeBufferPointer { buffer in
        guard let start = buffer.baseAddress else { return body(cString("")) }
        return body(start)
    }
}
