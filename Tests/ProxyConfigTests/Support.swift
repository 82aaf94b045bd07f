import Addressing
import ProxyConfig

/// The errors of a text, as the log shows them.
func errors(_ text: String, style: ConfigurationStyle = .socksify) -> [String] {
    Configuration.parse(text, style: style).errors.map(\.description)
}

func warnings(_ text: String, style: ConfigurationStyle = .proxychains) -> [String] {
    Configuration.parse(text, style: style).warnings.map(\.description)
}

/// The values of a text that has neither errors nor warnings; nil for any other.
func flawless(_ text: String, style: ConfigurationStyle = .socksify) -> Configuration? {
    let parsed = Configuration.parse(text, style: style)
    return parsed.errors.isEmpty && parsed.warnings.isEmpty ? parsed.configuration : nil
}

/// The proxies of a list that has neither errors nor warnings; nil for any other.
func proxies(_ list: String, style: ConfigurationStyle = .socksify) -> [Proxy]? {
    flawless("[ProxyList]\n" + list, style: style)?.proxies
}

func proxy(
    _ type: ProxyType, _ host: String, _ port: UInt16, _ user: String? = nil, _ password: String = ""
) -> Proxy {
    let parsedHost = IPAddress(host).map(Host.address) ?? Host.name(HostName(host)!)
    return Proxy(
        type: type, host: parsedHost, port: port,
        credentials: user.map { Credentials(user: Array($0.utf8), password: Array(password.utf8)) })
}

func endpoint(_ host: String, _ port: UInt16) -> Endpoint {
    Endpoint(host: IPAddress(host).map(Host.address) ?? .name(HostName(host)!), port: port)
}

func address(_ text: String) -> IPv4Address {
    guard case .v4(let address)? = IPAddress(text) else { fatalError("no IPv4 address: \(text)") }
    return address
}
