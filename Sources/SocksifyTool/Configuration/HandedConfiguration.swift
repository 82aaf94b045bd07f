import Addressing
import ProxyConfig

/// A variable of the command's environment; nil removes it.
public typealias EnvironmentChange = (name: String, value: [UInt8]?)

extension LoadedConfiguration {
    /// The configuration as it is handed on to the library: the same for a whole tree of processes.
    ///
    /// - Parameter resolve: gives an address for the name of the first proxy, or the reason why there is none; nil to
    ///   leave the name to the library.
    public func handedOn(
        resolve: ((HostName) -> Result<IPAddress, Failure>)?
    ) throws(Failure) -> [EnvironmentChange] {
        var changes: [EnvironmentChange] = [("SOCKSIFY_CONF", file?.path)]
        if let file, file.style != ConfigurationStyle(fileName: file.path.span) {
            // The name does not determine the style: the library gets the same variable as this program.
            changes.append(("PROXYCHAINS_CONF_FILE", file.path))
        }
        changes.append(("SOCKSIFY_PROXY", proxySource == nil ? nil : try proxyURLs(resolve: resolve)))
        if !directPatterns.isEmpty { changes.append(("SOCKSIFY_DIRECT", directPatterns)) }
        return changes
    }

    private func proxyURLs(
        resolve: ((HostName) -> Result<IPAddress, Failure>)?
    ) throws(Failure) -> [UInt8] {
        var proxies = configuration.proxies
        // The name is part of a service's name in Kerberos.
        if let resolve, proxies.first?.gssapi == nil, case .network(let first)? = proxies.first?.location,
            case .name(let name) = first.host
        {
            proxies[0].location = .network(Endpoint(host: .address(try resolve(name).get()), port: first.port))
        }
        var value: [UInt8] = []
        for hop in configuration.lists.first?.hops ?? [] {
            guard case .proxy(let index) = hop, proxies.indices.contains(index) else { continue }
            if !value.isEmpty { value.append(UInt8(ascii: ",")) }
            // The command need not be in this directory.
            if case .file(let path)? = proxies[index].credentials?.source {
                proxies[index].credentials?.source = .file(absolutePath(path) ?? path)
            }
            proxies[index].writeURL(to: &value)
        }
        return value
    }
}
