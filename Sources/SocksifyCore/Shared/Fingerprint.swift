import Addressing
import ProxyConfig

/// A hash (FNV-1a) of a proxy or a list, the same in every process, independent of its index in the configuration.
struct Fingerprint: ByteSink {
    private var hash = FNV1a()

    /// Hashes a proxy's type and location.
    init(_ proxy: Proxy) {
        switch proxy.type {
        case .socks5: append("socks5 ")
        case .socks4: append("socks4 ")
        case .http: append("http ")
        case .raw: append("raw ")
        }
        proxy.location.write(to: &self)
    }

    /// Hashes a list's name and its entries.
    init(_ list: ProxyList, _ configuration: Configuration) {
        append(list.name.span)
        for hop in list.hops {
            append(UInt8(ascii: "\n"))
            switch hop {
            case .proxy(let index):
                if index < configuration.proxies.count {
                    append(decimal: Fingerprint(configuration.proxies[index]).value)
                }
            case .list(let index):
                guard index < configuration.lists.count else { continue }
                let name = configuration.lists[index].name
                append(name.span)
            }
        }
    }

    /// 2 or more.
    var value: UInt64 { max(hash.value, 2) }

    mutating func append(_ byte: UInt8) {
        hash.append(byte)
    }
}
