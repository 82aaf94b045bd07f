import Addressing
import FakeDNS
import ProxyConfig
import SharedTables

/// Names with their reserved addresses, and with the addresses that this machine resolved for them.
struct Names: ~Copyable {
    let proxies: Proxies
    let fakeAddresses: FakeAddresses
    let table: NameTable<SharedMemory>
    let addressNames: AddressNames<SharedMemory>

    var configuration: Configuration { _read { yield proxies.configuration } }

    /// The meaning of an address: a name, if it is a reserved address.
    func meaning(of address: IPAddress) -> FakeAddresses.Meaning {
        configuration.reservesAddresses ? fakeAddresses.meaning(of: address) : .real
    }

    /// Whether lookups also try the domains of resolv.conf(5). Only with a server to ask: otherwise the library cannot
    /// tell which names exist.
    var searchesDomains: Bool {
        switch configuration.dns {
        case .tcp, .tor: configuration.searchesDomains
        case .fake, .local: false
        }
    }

    /// Whether a lookup of the name gives a reserved address.
    func givesFakeAddress(to name: HostName) -> Bool {
        switch configuration.dns {
        case .fake: true
        case .tor: NameSyntax.isOnion(name.bytes)
        case .tcp, .local: false
        }
    }

    /// The number of a name; nil if none is free.
    func number(of name: HostName) -> UInt32? { table.number(of: name, at: Clock.seconds) }

    /// The name with a number; nil if there is none.
    @inline(never)
    func name(of number: UInt32) -> HostName? { table.name(of: number, at: Clock.seconds) }

    /// The version of the name with a number, which changes when the number gets another name; nil if there is none.
    @inline(never)
    func version(of number: UInt32) -> UInt32? { table.version(of: number) }

    /// The number of a name that is looked up. If all numbers are in use, logs that and returns nil.
    func number(lookingUp name: HostName) -> UInt32? {
        if let number = number(of: name) { return number }
        guard table.isFull else { return nil }
        Log.write(.error, configuration) { line in
            name.write(to: &line)
            line.append(": no reserved address is free for this name: all were used in the last ten minutes")
        }
        return nil
    }
}
