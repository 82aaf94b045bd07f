import Addressing

/// A host, with a port or without, as a person types it: `host:port`, `[address]:port`, an address.
public struct Destination: Equatable {
    public var host: Host
    public var port: UInt16?

    public init(_ text: String) throws(Failure) {
        let expected = "expected a host and a port, as in example.org:443 or [2001:db8::1]:443"
        let wrong = Failure.own("'\(Array(text.utf8).shown)' is not a destination; \(expected)")
        var name = text[...]
        var port: Substring?
        if text.hasPrefix("["), let bracket = text.firstIndex(of: "]") {
            name = text[text.index(after: text.startIndex)..<bracket]
            let rest = text[text.index(after: bracket)...]
            guard rest.isEmpty || rest.hasPrefix(":"), IPAddress(String(name)) != nil else { throw wrong }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else if IPAddress(text) == nil, let colon = text.lastIndex(of: ":") {
            name = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        if let port {
            guard port.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                let number = UInt16(port), number > 0
            else { throw wrong }
            self.port = number
        }
        if let address = IPAddress(String(name)) {
            host = .address(address.unmapped)
        } else {
            let isName = name.utf8.allSatisfy {
                $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "/")
            }
            guard isName, let parsed = HostName(String(name)) else { throw wrong }
            host = .name(parsed)
        }
    }
}
