import Addressing
import CPreload
import FakeDNS
import ProxyConfig

/// getaddrinfo(3) and getnameinfo(3).
///
/// libc itself makes the lists, from numeric addresses: so hints, services, socket types and error codes are its own,
/// and its freeaddrinfo() frees them.
public enum Resolve {
    /// Whether the proxy resolves names, or nothing may be resolved at all.
    public static var namesBelongToProxy: Bool {
        switch Runtime.state {
        case .unusable, .short: true
        case .ready(let runtime):
            runtime.pointee.configuration.dns != .local || runtime.pointee.configuration.namesHosts
        }
    }

    /// Whether searched names (res_search(3)) are also looked up in the domains of resolv.conf(5).
    public static var searchesDomains: Bool {
        guard case .ready(let runtime) = Runtime.state else { return false }
        return runtime.pointee.names.searchesDomains
    }

    /// Answers a DNS query as a server would (res_send(3)). Returns the length of the whole answer, of which as much is
    /// written as there is room for; nil if there is none.
    public static func answer(_ question: UnsafeBufferPointer<UInt8>, into room: UnsafeMutableRawBufferPointer) -> Int?
    {
        guard case .ready(let runtime) = Runtime.state else { return nil }
        return NameServer.answer(message: Span(_unsafeElements: question), into: room, runtime.pointee.connections)
    }

    /// The hook's result: nil for libc's own answer, else an EAI code of getaddrinfo(3), which are negative; or the
    /// error of EAI_SYSTEM.
    public static func addressInfo(
        node: UnsafePointer<CChar>?, service: UnsafePointer<CChar>?, hints: UnsafePointer<addrinfo>?,
        result: UnsafeMutablePointer<UnsafeMutablePointer<addrinfo>?>
    ) -> Int32? {
        guard let node else { return nil }
        var numeric = addrinfo()
        if let hints {
            numeric.ai_flags = hints.pointee.ai_flags
            numeric.ai_family = hints.pointee.ai_family
            numeric.ai_socktype = hints.pointee.ai_socktype
            numeric.ai_protocol = hints.pointee.ai_protocol
        }
        if numeric.ai_flags & AI_NUMERICHOST != 0 { return nil }
        numeric.ai_flags |= AI_NUMERICHOST
        // Numeric addresses stay as they are, and mistakes in hints or service are reported before any name is looked
        // up.
        let code = real_call_getaddrinfo(node, service, &numeric, result)
        guard code == EAI_NONAME else { return code }

        let name = bytes(of: node)
        switch lookUp(name, hints: numeric, for: purpose(service: service, hints: numeric)) {
        case .byLibC: return nil
        case .local(let number):
            let code = real_call_getaddrinfo(node, service, hints, result)
            if code == 0, case .ready(let runtime) = Runtime.state {
                LocalNames.remember(result.pointee, of: number, runtime.pointee.names)
            }
            return code
        case .none: return EAI_NONAME
        case .tryAgain: return EAI_AGAIN
        case .short(let errno): return errno.code
        case .failure: return EAI_FAIL
        case .addresses(var addresses):
            if addresses.isOfThisMachine { addresses.sort() }
            return list(addresses, name: name, service: service, hints: &numeric, result: result)
        case .fake(let number):
            // The machine's own addresses do not show which family the proxy reaches.
            numeric.ai_flags &= ~AI_ADDRCONFIG
            var addresses = ResolvedAddresses()
            if let runtime = Runtime.existing {
                addresses.addFake(number: number, family: numeric.ai_family, runtime.pointee.names)
            }
            return list(addresses, name: name, service: service, hints: &numeric, result: result)
        }
    }

    /// With AI_V4MAPPED, IPv4 addresses are found for IPv6 if there are no others, or with AI_ALL beside them.
    private static func lookUp(
        _ name: Span<UInt8>, hints: addrinfo, for purpose: NameLookup.Purpose
    ) -> NameLookup.Answer {
        let maps = hints.ai_family == AF_INET6 && hints.ai_flags & AI_V4MAPPED != 0
        let family = maps && hints.ai_flags & AI_ALL != 0 ? AF_UNSPEC : hints.ai_family
        let answer = NameLookup.look(up: name, family: family, for: purpose)
        // libc reads /etc/hosts for each family.
        if maps, family == AF_UNSPEC, case .addresses(let both) = answer, both.isOfThisMachine,
            case .addresses(let four) = NameLookup.look(up: name, family: AF_INET, for: purpose)
        {
            return .addresses(both.replacingIPv4(by: four))
        }
        if maps, case .none = answer { return NameLookup.look(up: name, family: AF_INET, for: purpose) }
        return answer
    }

    /// The port and transport of service and hints, if a rule depends on them.
    private static func purpose(service: UnsafePointer<CChar>?, hints: addrinfo) -> NameLookup.Purpose {
        var purpose = NameLookup.Purpose()
        guard let runtime = Runtime.existing, !runtime.pointee.configuration.rules.isEmpty else { return purpose }
        if hints.ai_socktype == Int32(SOCK_STREAM.rawValue) { purpose.transport = .tcp }
        if hints.ai_socktype == Int32(SOCK_DGRAM.rawValue) { purpose.transport = .udp }
        guard let service else { return purpose }
        var named = addrinfo()
        named.ai_flags = hints.ai_flags & AI_NUMERICSERV
        named.ai_family = AF_INET
        named.ai_socktype = hints.ai_socktype
        named.ai_protocol = hints.ai_protocol
        var list: UnsafeMutablePointer<addrinfo>?
        guard real_call_getaddrinfo(nil, service, &named, &list) == 0, let list else { return purpose }
        defer { real_call_freeaddrinfo(list) }
        let address = SocketAddress(UnsafePointer(list.pointee.ai_addr), length: list.pointee.ai_addrlen)
        // 0 means that no service is given.
        if let port = address?.port, port != 0 { purpose.port = port }
        return purpose
    }

    /// Joins libc's lists for each address. libc makes none for an address that the hints exclude, as AI_ADDRCONFIG
    /// does without addresses of that family.
    private static func list(
        _ addresses: ResolvedAddresses, name: Span<UInt8>, service: UnsafePointer<CChar>?, hints: inout addrinfo,
        result: UnsafeMutablePointer<UnsafeMutablePointer<addrinfo>?>
    ) -> Int32 {
        let flags = hints.ai_flags
        var first: UnsafeMutablePointer<addrinfo>?
        var last: UnsafeMutablePointer<addrinfo>?
        for index in 0..<addresses.count {
            var part: UnsafeMutablePointer<addrinfo>?
            let code = NumericText(addresses[index]).withCString { real_call_getaddrinfo($0, service, &hints, &part) }
            if code == Int32(REAL_EAI_ADDRFAMILY) { continue }
            guard code == 0, let part else {
                if let first { real_call_freeaddrinfo(first) }
                return code
            }
            if let last { last.pointee.ai_next = part } else { first = part }
            last = end(of: part)
            // Only the first entry has the name.
            hints.ai_flags &= ~AI_CANONNAME
        }
        guard let first else { return addresses.count > 0 ? EAI_NONAME : Int32(REAL_EAI_NODATA) }
        if flags & AI_CANONNAME != 0 {
            guard setCanonicalName(addresses.canonicalName, asked: name, of: first) else {
                real_call_freeaddrinfo(first)
                return EAI_MEMORY
            }
        }
        result.pointee = first
        return 0
    }

    private static func end(of list: UnsafeMutablePointer<addrinfo>) -> UnsafeMutablePointer<addrinfo> {
        var last = list
        while let next = last.pointee.ai_next { last = next }
        return last
    }

    /// Replaces libc's numeric host by the name.
    private static func setCanonicalName(
        _ canonicalName: HostName?, asked: Span<UInt8>, of entry: UnsafeMutablePointer<addrinfo>
    ) -> Bool {
        let copy = canonicalName.map { copyString($0.bytes) } ?? copyString(NameSyntax.withoutFinalDot(asked))
        guard let copy else { return false }
        real_free_string(entry.pointee.ai_canonname)
        entry.pointee.ai_canonname = copy
        return true
    }

    private static func copyString(_ bytes: Span<UInt8>) -> UnsafeMutablePointer<CChar>? {
        bytes.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.flatMap {
                real_copy_string(UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self), buffer.count)
            }
        }
    }

    /// getnameinfo(3) of an Internet address: the name of a reserved address, or the one in /etc/hosts. No server is
    /// asked: the query would go direct, and SOCKS has none for addresses.
    ///
    /// - Returns: nil for libc's own answer, else an EAI code.
    public static func nameInfo(
        _ address: UnsafePointer<sockaddr>, length: socklen_t, host: UnsafeMutablePointer<CChar>?,
        hostLength: socklen_t, service: UnsafeMutablePointer<CChar>?, serviceLength: socklen_t, flags: Int32
    ) -> Int32? {
        guard flags & NI_NUMERICHOST == 0, let host, hostLength > 0,
            let socketAddress = SocketAddress(address, length: length)
        else { return nil }
        switch ReverseLookup.look(up: socketAddress.address) {
        case .byLibC: return nil
        case .tryAgain: return EAI_AGAIN
        case .none:
            if flags & NI_NAMEREQD != 0 { return EAI_NONAME }
            return real_call_getnameinfo(
                address, length, host, hostLength, service, serviceLength, flags | NI_NUMERICHOST)
        case .name(let name, _):
            // libc handles the service and mistakes in the flags.
            let code = real_call_getnameinfo(
                address, length, nil, 0, service, serviceLength, flags & ~NI_NAMEREQD)
            guard code == 0 else { return code }
            guard name.count < Int(hostLength) else { return EAI_OVERFLOW }
            let bytes = name.bytes
            for index in bytes.indices { host[index] = CChar(bitPattern: bytes[index]) }
            host[bytes.count] = 0
            return 0
        }
    }
}
