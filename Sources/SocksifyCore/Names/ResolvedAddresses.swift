import Addressing
import CKernel
import FakeDNS

/// The addresses of a name.
struct ResolvedAddresses {
    /// The maximum number of addresses; further ones are dropped.
    static var largestCount: Int { 16 }

    private(set) var count = 0
    /// Whether the name exists, possibly with addresses of another family only.
    private(set) var isKnown = false
    /// Whether the addresses come from this machine, without a DNS query.
    private(set) var isOfThisMachine = false
    /// The canonical name: the first on the line of /etc/hosts, or of a DNS answer; nil for the requested name.
    private(set) var canonicalName: HostName?
    private var storage = InlineArray<16, IPAddress>(repeating: .v4(IPv4Address(0)))

    subscript(index: Int) -> IPAddress { storage[index] }

    var addresses: Span<IPAddress> {
        @_lifetime(borrow self) borrowing get { storage.span.extracting(first: count) }
    }

    /// Adds the reserved address in the requested family. One is enough for AF_UNSPEC, because the proxy resolves the
    /// name in any family: IPv6 if the proxy is only reachable by IPv6, else IPv4.
    mutating func addFake(number: UInt32, family: Int32, _ names: borrowing Names) {
        if family == AF_INET6 || family == AF_UNSPEC && names.proxies.proxyAddresses.isIPv6Only {
            add(.v6(names.fakeAddresses.ipv6(number: number)), ifOf: family)
        } else {
            add(.v4(names.fakeAddresses.ipv4(number: number)), ifOf: family)
        }
    }

    /// Adds an address of any family.
    mutating func addOwn(_ address: IPAddress) {
        add(address, ifOf: AF_UNSPEC)
    }

    mutating func setCanonicalName(_ name: HostName?) {
        canonicalName = name
    }

    /// Remembers that the addresses are the name's.
    func remember(as host: HostName, _ names: borrowing Names) {
        guard let number = names.number(of: host) else { return }
        for index in 0..<count { LocalNames.remember(storage[index], of: number, names) }
    }

    /// Adds the addresses in /etc/hosts, or the loopback addresses for `localhost` and for the machine's own name.
    ///
    /// - Returns: the error if descriptors or memory were missing to read the file.
    mutating func addThisMachine(_ name: HostName, family: Int32) -> Errno? {
        var list = ResolvedAddresses()
        let shortage = HostsFile.forEachLine { line in
            guard line.gives(name) else { return true }
            list.add(line, ifOf: family)
            return list.count < ResolvedAddresses.largestCount
        }
        if let shortage { return shortage }
        if !list.isKnown, NameSyntax.isLocalhost(name.bytes) || ResolvedAddresses.isThisMachine(name) {
            list.addLoopback(ifOf: family)
        }
        self = list
        return nil
    }

    private static func isThisMachine(_ name: HostName) -> Bool {
        var buffer = InlineArray<65, CChar>(repeating: 0)
        return withUnsafeMutableBytes(of: &buffer) { memory in
            guard let start = memory.baseAddress?.assumingMemoryBound(to: CChar.self),
                kernel_host_name(start) != 0
            else { return false }
            return equalIgnoringCase(bytes(of: start), name.bytes)
        }
    }

    private mutating func add(_ line: borrowing HostsLine, ifOf family: Int32) {
        if !isKnown { canonicalName = line.canonicalName }
        isOfThisMachine = true
        // As libc: a name with only ::1 also has 127.0.0.1, and repeated addresses stay repeated.
        let isLoopback = line.address == .v6(IPv6Address(high: 0, low: 1))
        append(isLoopback && family == AF_INET ? .v4(IPv4Address(127, 0, 0, 1)) : line.address, ifOf: family)
    }

    private mutating func addLoopback(ifOf family: Int32) {
        isOfThisMachine = true
        add(.v6(IPv6Address(high: 0, low: 1)), ifOf: family)
        add(.v4(IPv4Address(127, 0, 0, 1)), ifOf: family)
    }

    /// Adds a DNS answer: the name exists, possibly without addresses.
    mutating func add(_ response: DNSResponse, accepting isAccepted: (IPAddress) -> Bool) {
        isKnown = true
        if canonicalName == nil, let name = response.canonicalName.hostName, NameSyntax.isOfHostElsewhere(name.bytes) {
            canonicalName = name
        }
        let addresses = response.addresses
        for index in addresses.indices where isAccepted(addresses[index]) { add(addresses[index], ifOf: AF_UNSPEC) }
    }

    /// Records that the name exists.
    mutating func addNothing() {
        isKnown = true
    }

    /// Adds an address of the family, unless it is in the list.
    mutating func add(_ address: IPAddress, ifOf family: Int32) {
        isKnown = true
        for index in 0..<count where storage[index] == address { return }
        append(address, ifOf: family)
    }

    private mutating func append(_ address: IPAddress, ifOf family: Int32) {
        isKnown = true
        switch address {
        case .v4 where family == AF_INET6, .v6 where family == AF_INET: return
        default: break
        }
        guard count < ResolvedAddresses.largestCount else { return }
        storage[count] = address
        count += 1
    }

    /// Its IPv6 addresses, and the IPv4 addresses of `other`.
    @inline(never)
    func replacingIPv4(by other: ResolvedAddresses) -> ResolvedAddresses {
        var list = self
        list.count = 0
        for index in 0..<count { list.append(storage[index], ifOf: AF_INET6) }
        for index in 0..<other.count { list.append(other.storage[index], ifOf: AF_UNSPEC) }
        return list
    }

    /// Each address once.
    var withoutRepetitions: ResolvedAddresses {
        var list = ResolvedAddresses()
        list.canonicalName = canonicalName
        for index in 0..<count { list.addOwn(storage[index]) }
        return list
    }

    /// Sorts the addresses like getaddrinfo(3) (RFC 6724).
    mutating func sort() {
        guard count > 1 else { return }
        var policy = PolicyTable()
        TextFile.forEachLine(of: "/etc/gai.conf") { line in
            policy.read(line)
            return true
        }
        var destinations = InlineArray<16, Destination>(repeating: Destination(storage[0], from: nil))
        for index in 0..<count {
            let destination = Destination(reaching: storage[index])
            var position = index
            while position > 0, policy.prefers(destination, to: destinations[position - 1]) {
                destinations[position] = destinations[position - 1]
                position -= 1
            }
            destinations[position] = destination
        }
        for index in 0..<count { storage[index] = destinations[index].address }
    }
}
