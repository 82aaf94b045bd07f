import Addressing
import ProxyConfig

extension Proxy {
    /// Its type and location, for a person: without the credentials.
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
        through(list: 0) + (configuration.rules.isEmpty ? "" : " unless a rule says otherwise")
    }

    /// The proxies of a list, in a phrase.
    func through(list index: Int) -> String {
        guard configuration.lists.indices.contains(index) else { return "no proxy" }
        let list = configuration.lists[index]
        let proxies = configuration.proxies(of: index).map(\.shown)
        let all = proxies.joined(separator: ", ")
        let phrase =
            switch list.mode {
            case _ where proxies.count == 1: all
            case .strict: proxies.joined(separator: ", then ")
            case .dynamic: "the working ones of \(all)"
            case .failover: "the first \(list.length) working of \(all)"
            case .random: "\(list.length) at random of \(all)"
            case .roundRobin: "\(list.length) in turn of \(all)"
            }
        return index == 0 ? phrase : "the list \(list.name.shown) (\(phrase))"
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
