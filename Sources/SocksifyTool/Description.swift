import Addressing
import ProxyConfig

extension Proxy {
    /// Its type and place, for a person: without the credentials.
    var shown: String {
        var bytes: [UInt8] = []
        bytes.append(type.text)
        bytes.append(" ")
        location.write(to: &bytes)
        return bytes.shown
    }
}

extension LoadedConfiguration {
    /// Through what connections go, in a phrase.
    var through: String {
        let chain = configuration.proxies(of: 0).map(\.shown)
        let phrase =
            switch configuration.chainMode {
            case _ where chain.count == 1: chain.joined()
            case .strict: chain.joined(separator: ", then ")
            case .dynamic: "those that are alive of " + chain.joined(separator: ", ")
            case .random: "\(configuration.chainLength) at random of " + chain.joined(separator: ", ")
            case .roundRobin: "\(configuration.chainLength) in turn of " + chain.joined(separator: ", ")
            }
        let rules = configuration.rules.isEmpty ? "" : ", but for what the rules say"
        return phrase + rules
    }
}

extension Configuration {
    /// The proxies of a list, those of lists within it in their places.
    func proxies(of list: Int) -> [Proxy] {
        lists.indices.contains(list) ? lists[list].hops.flatMap(proxies(of:)) : []
    }

    /// A proxy, or the proxies of a list.
    func proxies(of hop: ProxyList.Hop) -> [Proxy] {
        switch hop {
        case .proxy(let index): proxies.indices.contains(index) ? [proxies[index]] : []
        case .list(let inner): proxies(of: inner)
        }
    }
}
