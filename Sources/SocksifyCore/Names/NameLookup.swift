import Addressing
import CLibC
import FakeDNS
import ProxyConfig

/// Where a name leads, without asking anybody outside this process.
enum NameLookup {
    /// At most so many addresses of one name are taken from /etc/hosts.
    static var largestCount: Int { 16 }

    enum Answer {
        /// The name is resolved as if the library were not there.
        case byLibC
        /// The name's own addresses, from /etc/hosts or because it is this machine's.
        case addresses(AddressList)
        /// The name has this number, for which reserved addresses stand.
        case fake(number: UInt32)
        /// The name has this number; libc resolves it, and the addresses are to be remembered as the name's.
        case local(number: UInt32)
        /// No such name can be.
        case none
        /// A name cannot be looked up now.
        case tryAgain
        /// There were no descriptors, or there was no memory, to look it up.
        case short(Errno)
        /// Nothing can be looked up: there is no configuration.
        case failure
    }

    /// What a program says of its purpose when it looks a name up.
    struct Purpose {
        /// nil where it does not say.
        var port: UInt16?
        /// nil where it does not say.
        var transport: Transport?
    }

    /// - Parameter name: not a numeric address.
    static func look(up name: Span<UInt8>, family: Int32, for purpose: Purpose = Purpose()) -> Answer {
        let runtime: UnsafePointer<Runtime>
        switch Runtime.state {
        case .unusable: return .failure
        case .short(let errno): return errno.isShortage ? .short(errno) : .tryAgain
        case .ready(let pointer): runtime = pointer
        }
        let isLocal = runtime.pointee.configuration.dns == .local
        if isLocal, runtime.pointee.configuration.rules.isEmpty { return .byLibC }
        guard let host = HostName(NameSyntax.withoutFinalDot(name)) else { return isLocal ? .byLibC : .none }
        let ruled = runtime.pointee.configuration.lookup(
            of: host.bytes, port: purpose.port, transport: purpose.transport)
        switch known(host, family: family, runtime) {
        case .addresses(let list):
            if ruled != .byMode { list.remember(as: host, runtime) }
            if isLocal { return .byLibC }
            return list.count > 0 ? .addresses(list) : .none
        case .none: return isLocal ? .byLibC : .none
        case .short(let errno): return isLocal ? .byLibC : .short(errno)
        case .unknown: break
        }
        switch ruled {
        case .byMode where isLocal: return .byLibC
        case .byMode where runtime.pointee.searchesDomains && !runtime.pointee.givesFakeAddress(to: host):
            return RemoteLookup.search(for: name, family: family, runtime)
        case .byMode where !runtime.pointee.givesFakeAddress(to: host):
            return RemoteLookup.addresses(of: host, family: family, runtime)
        // What depends on more than the name stays with the proxies, unless all names are this machine's to resolve.
        case .local,
            .undecided where isLocal:
            return runtime.pointee.number(lookingUp: host).map { .local(number: $0) } ?? .tryAgain
        case .byMode, .proxy, .undecided:
            return runtime.pointee.number(lookingUp: host).map { .fake(number: $0) } ?? .tryAgain
        }
    }

    /// Whether rules speak of the name, so that a reserved address stands for it whoever asks.
    static func isRuled(_ host: HostName, _ runtime: UnsafePointer<Runtime>) -> Bool {
        runtime.pointee.configuration.lookup(of: host.bytes, port: nil, transport: nil) != .byMode
    }

    /// What is known of a name without asking anybody.
    enum Knowledge {
        /// The name's own addresses; there may be none of the family.
        case addresses(AddressList)
        /// No such name can be.
        case none
        case unknown
        /// /etc/hosts could not be opened now, for want of descriptors or memory.
        case short(Errno)
    }

    static func known(_ host: HostName, family: Int32, _ runtime: UnsafePointer<Runtime>) -> Knowledge {
        var own = AddressList()
        if let errno = own.addThisMachine(host, family: family) { return .short(errno) }
        if own.isKnown { return .addresses(own) }
        if !NameSyntax.isResolvable(host.bytes) { return .none }
        // A hidden service has no address that anybody could tell.
        if runtime.pointee.configuration.dns == .tor, runtime.pointee.givesFakeAddress(to: host),
            let number = runtime.pointee.names.number(of: host)
        {
            var list = AddressList()
            list.addFake(number: number, family: family)
            return .addresses(list)
        }
        return .unknown
    }

    fileprivate static func isThisMachine(_ name: HostName) -> Bool {
        var buffer = InlineArray<65, CChar>(repeating: 0)
        return withUnsafeMutableBytes(of: &buffer) { memory in
            guard let start = memory.baseAddress?.assumingMemoryBound(to: CChar.self),
                kernel_host_name(start) != 0
            else { return false }
            return equalIgnoringCase(bytes(of: start), name.bytes)
        }
    }
}

/// Addresses that are a name's own.
struct AddressList {
    private(set) var count = 0
    /// Whether the name was found, be it with addresses of another family.
    private(set) var isKnown = false
    /// Whether the name is known here: nobody was asked for the addresses.
    private(set) var isOfThisMachine = false
    /// The name that /etc/hosts has first on the line; nil for the name that was asked for.
    private(set) var canonicalName: HostName?
    private var storage = InlineArray<16, IPAddress>(repeating: .v4(IPv4Address(0)))

    subscript(index: Int) -> IPAddress { storage[index] }

    var addresses: Span<IPAddress> {
        @_lifetime(borrow self) borrowing get { storage.span.extracting(first: count) }
    }

    /// The reserved address of the family that was asked for. One is enough for a program that takes either: the proxy
    /// resolves the name, whatever family the program spoke. It is IPv6 where the proxy itself is reached by that
    /// alone.
    mutating func addFake(number: UInt32, family: Int32) {
        guard let runtime = Runtime.existing else { return }
        let fakeAddresses = runtime.pointee.fakeAddresses
        if family == AF_INET6 || family == AF_UNSPEC && runtime.pointee.firstHops.isIPv6Only {
            add(.v6(fakeAddresses.ipv6(number: number)), ifOf: family)
        } else {
            add(.v4(fakeAddresses.ipv4(number: number)), ifOf: family)
        }
    }

    /// An address whatever its family.
    mutating func addOwn(_ address: IPAddress) {
        add(address, ifOf: AF_UNSPEC)
    }

    mutating func setCanonicalName(_ name: HostName?) {
        canonicalName = name
    }

    /// Remembers that the addresses are the name's.
    func remember(as host: HostName, _ runtime: UnsafePointer<Runtime>) {
        guard let number = runtime.pointee.names.number(of: host) else { return }
        for index in 0..<count { LocalNames.remember(storage[index], of: number, runtime) }
    }

    /// Adds what /etc/hosts gives; or the loopback addresses for `localhost` and for the machine's own name.
    ///
    /// - Returns: what there was none of to read the file.
    fileprivate mutating func addThisMachine(_ name: HostName, family: Int32) -> Errno? {
        var list = AddressList()
        let shortage = HostsFile.forEachLine { line in
            guard line.gives(name) else { return true }
            list.add(line, ifOf: family)
            return list.count < NameLookup.largestCount
        }
        if let shortage { return shortage }
        if !list.isKnown, NameSyntax.isLocalhost(name.bytes) || NameLookup.isThisMachine(name) {
            list.addLoopback(ifOf: family)
        }
        self = list
        return nil
    }

    fileprivate mutating func add(_ line: borrowing HostsLine, ifOf family: Int32) {
        if !isKnown { canonicalName = line.canonicalName }
        isOfThisMachine = true
        // libc reads the file so: a name of ::1 alone is this machine in IPv4 as well, and what is there twice is found
        // twice.
        let isLoopback = line.address == .v6(IPv6Address(high: 0, low: 1))
        append(isLoopback && family == AF_INET ? .v4(IPv4Address(127, 0, 0, 1)) : line.address, ifOf: family)
    }

    fileprivate mutating func addLoopback(ifOf family: Int32) {
        isOfThisMachine = true
        add(.v6(IPv6Address(high: 0, low: 1)), ifOf: family)
        add(.v4(IPv4Address(127, 0, 0, 1)), ifOf: family)
    }

    /// What a server has answered: the name is there, be it without addresses.
    mutating func add(_ response: DNSResponse, accepting isAccepted: (IPAddress) -> Bool) {
        isKnown = true
        if canonicalName == nil, let name = response.canonicalName.hostName, NameSyntax.isOfHostElsewhere(name.bytes) {
            canonicalName = name
        }
        let addresses = response.addresses
        for index in addresses.indices where isAccepted(addresses[index]) { add(addresses[index], ifOf: AF_UNSPEC) }
    }

    /// The name is there, and has no address.
    mutating func addNothing() {
        isKnown = true
    }

    /// Adds one that is not there yet.
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
        guard count < NameLookup.largestCount else { return }
        storage[count] = address
        count += 1
    }

    /// Its IPv6 addresses, and in place of the others those of another list.
    @inline(never)
    func replacingIPv4(by other: AddressList) -> AddressList {
        var list = self
        list.count = 0
        for index in 0..<count { list.append(storage[index], ifOf: AF_INET6) }
        for index in 0..<other.count { list.append(other.storage[index], ifOf: AF_UNSPEC) }
        return list
    }

    /// Each address once.
    var withoutRepetitions: AddressList {
        var list = AddressList()
        list.canonicalName = canonicalName
        for index in 0..<count { list.addOwn(storage[index]) }
        return list
    }

    /// Puts first what a program is to try first, as getaddrinfo(3) does.
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
            var place = index
            while place > 0, policy.prefers(destination, to: destinations[place - 1]) {
                destinations[place] = destinations[place - 1]
                place -= 1
            }
            destinations[place] = destination
        }
        for index in 0..<count { storage[index] = destinations[index].address }
    }
}
