import ProxyConfig

/// A proxy as people type it, in the form of a URL.
///
/// `host:port`, and URLs, are as they are; a path, with or without `unix:` in front, is that of a socket at which a
/// SOCKS5 proxy listens.
public func proxyURL(_ typed: [UInt8]) -> [UInt8] {
    var path = typed[...]
    if typed.starts(with: "unix:".utf8) { path = path.dropFirst(5) }
    // unix:///run/x, as other tools write it.
    if path.count < typed.count, path.starts(with: "//".utf8) { path = path.dropFirst(2) }
    guard path.first == UInt8(ascii: "/") else { return typed }
    var url: [UInt8] = []
    Proxy(type: .socks5, location: .unixSocket(Array(path))).writeURL(to: &url)
    return url
}
