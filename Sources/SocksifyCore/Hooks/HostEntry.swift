import Addressing
import CPreload
import FakeDNS

/// The gethostbyname(3) family, which fills a `hostent` and a buffer of the caller's.
public enum HostEntry {
    /// What the hook returns.
    public enum Answer {
        /// libc's own answer.
        case byLibC
        case found
        /// No such host, or an error: the code of `h_errno`.
        case notFound(hostError: Int32)
        /// NETDB_INTERNAL: there were no descriptors, or there was no memory.
        case short(Errno)
        /// ERANGE: the caller comes again with a larger buffer.
        case bufferTooSmall
    }

    public static func byName(
        _ name: UnsafePointer<CChar>, family: Int32, entry: UnsafeMutablePointer<hostent>,
        buffer: UnsafeMutableRawBufferPointer
    ) -> Answer {
        let text = bytes(of: name)
        guard family == AF_INET || family == AF_INET6, !isNumeric(name) else { return .byLibC }
        switch NameLookup.look(up: text, family: family) {
        case .byLibC: return .byLibC
        case .none: return .notFound(hostError: HOST_NOT_FOUND)
        case .tryAgain: return .notFound(hostError: TRY_AGAIN)
        case .short(let errno): return .short(errno)
        case .failure: return .notFound(hostError: NO_RECOVERY)
        case .addresses(let addresses):
            if addresses.isOfThisMachine,
                let listed = listed({ real_call_listed_host_by_name(name, family, entry, $0, $1) }, buffer)
            {
                return listed
            }
            guard addresses.count > 0 else { return .notFound(hostError: NO_DATA) }
            let canonical = addresses.canonicalName ?? HostName(text)
            return fill(entry, buffer, name: canonical, addresses, family: family)
        case .local(let number):
            guard let runtime = Runtime.existing, let host = HostName(NameSyntax.withoutFinalDot(text)) else {
                return .notFound(hostError: NO_RECOVERY)
            }
            switch LocalNames.addresses(of: host, family: family) {
            case .none: return .notFound(hostError: HOST_NOT_FOUND)
            case .tryAgain: return .notFound(hostError: TRY_AGAIN)
            case .addresses(let addresses):
                for index in 0..<addresses.count {
                    LocalNames.remember(addresses[index], of: number, runtime.pointee.names)
                }
                return fill(entry, buffer, name: addresses.canonicalName ?? host, addresses, family: family)
            }
        case .fake(let number):
            // Programs ask gethostbyname2(3) for the other family as well and take the first answer, as getent(1) does.
            // It is IPv4 if the proxy is reached by that, as for getaddrinfo(3) without a family.
            guard let runtime = Runtime.existing else { return .notFound(hostError: NO_RECOVERY) }
            if family == AF_INET6, !runtime.pointee.proxyAddresses.isIPv6Only { return .notFound(hostError: NO_DATA) }
            var addresses = ResolvedAddresses()
            addresses.addFake(number: number, family: family, runtime.pointee.names)
            let canonical = HostName(NameSyntax.withoutFinalDot(text))
            return fill(entry, buffer, name: canonical, addresses, family: family)
        }
    }

    public static func byAddress(
        _ address: UnsafeRawPointer, length: socklen_t, family: Int32, entry: UnsafeMutablePointer<hostent>,
        buffer: UnsafeMutableRawBufferPointer
    ) -> Answer {
        guard let value = IPAddress(address, length: length, family: family) else { return .byLibC }
        switch ReverseLookup.look(up: value) {
        case .byLibC: return .byLibC
        case .tryAgain: return .notFound(hostError: TRY_AGAIN)
        case .none: return .notFound(hostError: HOST_NOT_FOUND)
        case .name(let name, let isListed):
            if isListed,
                let listed = listed(
                    { real_call_listed_host_by_address(address, length, family, entry, $0, $1) }, buffer)
            {
                return listed
            }
            var addresses = ResolvedAddresses()
            addresses.addOwn(value)
            return fill(entry, buffer, name: name, addresses, family: family)
        }
    }

    /// What libc makes of /etc/hosts: it knows of aliases as well. nil where it does not find it there.
    private static func listed(
        _ call: (UnsafeMutablePointer<CChar>, Int) -> real_listed,
        _ buffer: UnsafeMutableRawBufferPointer
    ) -> Answer? {
        guard let start = buffer.baseAddress else { return .bufferTooSmall }
        switch call(start.assumingMemoryBound(to: CChar.self), buffer.count) {
        case REAL_LISTED: return .found
        case REAL_LISTED_NEEDS_ROOM: return .bufferTooSmall
        default: return nil
        }
    }

    /// Whether libc takes the text for an address in figures, in one of the forms of inet_aton(3) or inet_pton(3).
    private static func isNumeric(_ name: UnsafePointer<CChar>) -> Bool {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST
        var list: UnsafeMutablePointer<addrinfo>?
        guard real_call_getaddrinfo(name, nil, &hints, &list) == 0 else { return false }
        if let list { real_call_freeaddrinfo(list) }
        return true
    }

    /// Lays out the entry: list of pointers to addresses, empty list of aliases, addresses, name.
    private static func fill(
        _ entry: UnsafeMutablePointer<hostent>, _ buffer: UnsafeMutableRawBufferPointer, name: HostName?,
        _ addresses: ResolvedAddresses, family: Int32
    ) -> Answer {
        guard let name, let base = buffer.baseAddress else { return .bufferTooSmall }
        let addressLength = family == AF_INET ? 4 : 16
        let pointerSize = MemoryLayout<UnsafeMutablePointer<CChar>?>.size
        let padding = (pointerSize - Int(bitPattern: base) & (pointerSize - 1)) & (pointerSize - 1)
        let pointerCount = addresses.count + 2
        let textOffset = padding + pointerCount * pointerSize + addresses.count * addressLength
        guard textOffset + name.count + 1 <= buffer.count else { return .bufferTooSmall }

        let pointers = (base + padding).bindMemory(to: UnsafeMutablePointer<CChar>?.self, capacity: pointerCount)
        var position = base + padding + pointerCount * pointerSize
        for index in 0..<addresses.count {
            pointers[index] = position.assumingMemoryBound(to: CChar.self)
            addresses[index].writeOctets(to: position, length: addressLength)
            position += addressLength
        }
        pointers[addresses.count] = nil
        pointers[addresses.count + 1] = nil
        let text = (base + textOffset).assumingMemoryBound(to: CChar.self)
        let bytes = name.bytes
        for index in bytes.indices { text[index] = CChar(bitPattern: bytes[index]) }
        text[bytes.count] = 0
        entry.pointee.h_name = text
        entry.pointee.h_aliases = pointers + addresses.count + 1
        entry.pointee.h_addrtype = family
        entry.pointee.h_length = Int32(addressLength)
        entry.pointee.h_addr_list = pointers
        return .found
    }
}

extension IPAddress {
    /// From an `in_addr` or `in6_addr`; nil for another family or length.
    fileprivate init?(_ octets: UnsafeRawPointer, length: socklen_t, family: Int32) {
        if family == AF_INET, length == 4 {
            self = .v4(IPv4Address(UInt32(bigEndian: octets.loadUnaligned(as: UInt32.self))))
        } else if family == AF_INET6, length == 16 {
            let high = UInt64(bigEndian: octets.loadUnaligned(as: UInt64.self))
            let low = UInt64(bigEndian: octets.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            self = .v6(IPv6Address(high: high, low: low))
        } else {
            return nil
        }
    }

    /// Writes an `in_addr` or, for 16 octets, an `in6_addr`, in which an IPv4 address is mapped.
    fileprivate func writeOctets(to position: UnsafeMutableRawPointer, length: Int) {
        switch self {
        case .v4(let address) where length == 4:
            let octets = address.octets
            for index in octets.indices { position.storeBytes(of: octets[index], toByteOffset: index, as: UInt8.self) }
        case .v4(let address):
            IPAddress.v6(IPv6Address(mapping: address)).writeOctets(to: position, length: length)
        case .v6(let address):
            let octets = address.octets
            for index in 0..<min(length, 16) {
                position.storeBytes(of: octets[index], toByteOffset: index, as: UInt8.self)
            }
        }
    }
}
