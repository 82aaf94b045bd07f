import Addressing
import CPreload
import ProxyConfig
import Synchronization

/// The addresses of possible first proxies.
///
/// libc's resolver looks up a name once, at the first connection. After a failure it tries again when the proxy is
/// used, because a program may start before the network.
struct ProxyAddresses: @unchecked Sendable {
    /// For each proxy of the configuration: the number of its addresses, the time of the last lookup of its name, the
    /// port, the addresses.
    private let memory: UnsafeMutableRawPointer
    private let count: Int
    private let possible: ProxySet
    /// Whether one of them is at a Unix-domain socket.
    private let isAnyAtPath: Bool

    private static var largestCount: Int { 16 }
    private static var addressesOffset: Int { 24 }
    private static var entrySize: Int { addressesOffset + largestCount * MemoryLayout<IPAddress>.stride }

    /// Bytes of memory. Only the entries of possible first proxies are touched.
    static func size(_ configuration: Configuration) -> Int { max(configuration.proxies.count, 1) * entrySize }

    /// - Parameter memory: `size` bytes, zero-filled.
    init(_ configuration: Configuration, memory: UnsafeMutableRawPointer) {
        self.memory = memory
        count = configuration.proxies.count
        possible = configuration.possibleFirstHops
        var isAnyAtPath = false
        for index in 0..<configuration.proxies.count where configuration.possibleFirstHops.contains(index) {
            if case .unixSocket = configuration.proxies[index].location { isAnyAtPath = true }
        }
        self.isAnyAtPath = isAnyAtPath
        for index in 0..<count where possible.contains(index) {
            guard case .network(let endpoint) = configuration.proxies[index].location else { continue }
            port(of: index).pointee = UInt64(endpoint.port)
            guard case .address(let address) = endpoint.host else { continue }
            store(address, at: 0, of: index)
            number(of: index).pointee.store(1, ordering: .releasing)
        }
    }

    private func entry(_ index: Int) -> UnsafeMutablePointer<UInt64> {
        (memory + index * ProxyAddresses.entrySize).assumingMemoryBound(to: UInt64.self)
    }

    private func number(of index: Int) -> UnsafeMutablePointer<Atomic<UInt64>> { atomic(entry(index)) }
    private func tried(_ index: Int) -> UnsafeMutablePointer<Atomic<UInt64>> { atomic(entry(index) + 1) }
    private func port(of index: Int) -> UnsafeMutablePointer<UInt64> { entry(index) + 2 }

    private func offset(_ index: Int, of proxy: Int) -> Int {
        proxy * ProxyAddresses.entrySize + ProxyAddresses.addressesOffset + index * MemoryLayout<IPAddress>.stride
    }

    private func store(_ address: IPAddress, at index: Int, of proxy: Int) {
        memory.storeBytes(of: address, toByteOffset: offset(index, of: proxy), as: IPAddress.self)
    }

    private func address(_ index: Int, of proxy: Int) -> SocketAddress {
        let address = memory.load(fromByteOffset: offset(index, of: proxy), as: IPAddress.self)
        return SocketAddress(address: address, port: UInt16(truncatingIfNeeded: port(of: proxy).pointee))
    }

    private func known(_ index: Int) -> Int {
        guard index >= 0, index < count else { return 0 }
        return min(
            Int(truncatingIfNeeded: number(of: index).pointee.load(ordering: .acquiring)), ProxyAddresses.largestCount)
    }

    // MARK: Names

    enum Lookup {
        case found
        case failed
        /// This thread is looking up a name: the connection is the resolver's.
        case underWay
    }

    /// Milliseconds after a failed lookup before the next.
    private static var patience: Int { 1000 }

    /// Looks up the addresses of a proxy, if they are unknown.
    func lookUp(_ index: Int, _ configuration: Configuration) -> Lookup {
        guard known(index) == 0 else { return .found }
        guard index < count, case .network(let endpoint) = configuration.proxies[index].location,
            case .name(let name) = endpoint.host
        else { return .failed }
        let lock = OwnerLock(process_lookup_lock_word())
        if case .isOwn = lock.acquire() { return .underWay }
        defer { lock.release() }
        let last = Int(truncatingIfNeeded: tried(index).pointee.load(ordering: .relaxed))
        if known(index) == 0, last == 0 || Clock.now - last >= ProxyAddresses.patience {
            number(of: index).pointee.store(UInt64(resolve(name, index)), ordering: .releasing)
            tried(index).pointee.store(UInt64(max(Clock.now, 1)), ordering: .relaxed)
        }
        return known(index) > 0 ? .found : .failed
    }

    private func resolve(_ name: HostName, _ index: Int) -> Int {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = withCString(name) { real_call_getaddrinfo($0, nil, &hints, &list) }
        guard code == 0, let first = list else { return 0 }
        defer { real_call_freeaddrinfo(first) }
        var found = 0
        while let entry = list?.pointee, found < ProxyAddresses.largestCount {
            if let address = SocketAddress(UnsafePointer(entry.ai_addr), length: entry.ai_addrlen) {
                store(address.address, at: found, of: index)
                found += 1
            }
            list = entry.ai_next
        }
        return found
    }

    /// Calls `body` for each proxy whose name was never looked up.
    func forEachUntried(_ configuration: Configuration, _ body: (Int) -> Void) {
        for index in 0..<count where possible.contains(index) && known(index) == 0 {
            guard tried(index).pointee.load(ordering: .relaxed) == 0,
                case .network = configuration.proxies[index].location
            else { continue }
            body(index)
        }
    }

    // MARK: Addresses

    /// The proxy's address with this index for a socket of the family: among the addresses that the socket can connect
    /// to; if there are none, among all. nil after the last.
    func address(of proxy: Int, _ index: Int, for family: SocketFamily) -> SocketAddress? {
        var isAnyReached = false
        for candidate in 0..<known(proxy) where family.hasForm(for: address(candidate, of: proxy).address) {
            isAnyReached = true
        }
        var left = index
        for candidate in 0..<known(proxy) {
            let address = address(candidate, of: proxy)
            guard !isAnyReached || family.hasForm(for: address.address) else { continue }
            if left == 0 { return address }
            left -= 1
        }
        return nil
    }

    /// An address of any proxy, in the family of the given address. For a proxy at a Unix-domain socket it is a
    /// loopback address.
    func anyAddress(for family: SocketAddress) -> SocketAddress? {
        for proxy in 0..<count where possible.contains(proxy) {
            for index in 0..<known(proxy) {
                if let address = address(index, of: proxy).inFamily(of: family) { return address }
            }
        }
        guard isAnyAtPath else { return nil }
        return SocketAddress(address: .v4(IPv4Address(127, 0, 0, 1)), port: ProxyAddresses.discardPort).inFamily(
            of: family)
    }

    /// RFC 863.
    private static var discardPort: UInt16 { 9 }

    /// Whether this is the address of a possible first proxy.
    func matches(_ address: SocketAddress) -> Bool {
        for proxy in 0..<count where possible.contains(proxy) {
            guard port(of: proxy).pointee == UInt64(address.port) else { continue }
            for index in 0..<known(proxy)
            where self.address(index, of: proxy).address.unmapped == address.address.unmapped { return true }
        }
        return false
    }

    /// Whether the known addresses of all proxies are IPv6.
    var isIPv6Only: Bool {
        var isAnyKnown = false
        for proxy in 0..<count where possible.contains(proxy) {
            for index in 0..<known(proxy) {
                if case .v4 = address(index, of: proxy).address.unmapped { return false }
                isAnyKnown = true
            }
        }
        return isAnyKnown
    }
}

/// Calls `body` with the name as a C string. A null byte inside truncates it.
func withCString<Result>(_ name: HostName, _ body: (UnsafePointer<CChar>) -> Result) -> Result {
    var text = InlineArray<256, CChar>(repeating: 0)
    let bytes = name.bytes
    for index in bytes.indices { text[index] = CChar(bitPattern: bytes[index]) }
    return text.span.withUnsafeBufferPointer { buffer in
        guard let start = buffer.baseAddress else { return body(cString("")) }
        return body(start)
    }
}
