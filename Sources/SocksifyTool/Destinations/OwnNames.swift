import Addressing
import FakeDNS
import Glibc

/// The names that this machine resolves without a query: those in /etc/hosts, `localhost`, and its own.
public struct OwnNames {
    private let hosts: [UInt8]
    private let machine: [UInt8]

    /// - Parameters:
    ///   - hosts: the text of /etc/hosts.
    ///   - machine: the name of this machine.
    public init(hosts: [UInt8], machine: [UInt8]) {
        self.hosts = hosts
        self.machine = machine
    }

    static var ofThisMachine: OwnNames {
        let hosts = OpenFile.open(Array("/etc/hosts".utf8))?.contents(atMost: ConfigurationLoading.largestFile) ?? []
        var name = utsname()
        uname(&name)
        let machine = withUnsafeBytes(of: name.nodename) { $0.prefix { $0 != 0 }.map { $0 } }
        return OwnNames(hosts: hosts, machine: machine)
    }

    /// The first address of a name; nil if a query is needed.
    public func address(of name: HostName) -> IPAddress? {
        let name = HostName(NameSyntax.withoutFinalDot(name.bytes)) ?? name
        for line in hosts.split(separator: UInt8(ascii: "\n")) {
            let bytes = Array(line)
            if let line = HostsLine(bytes.span), line.gives(name) { return line.address }
        }
        let isOwn = NameSyntax.isLocalhost(name.bytes) || equalIgnoringCase(machine.span, name.bytes)
        return isOwn ? .v4(IPv4Address(127, 0, 0, 1)) : nil
    }
}
