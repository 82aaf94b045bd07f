import Addressing
import FakeDNS
import ProxyConfig
import SocketTable

/// Names and the addresses that stand for them, or that they were given out with.
struct Names: ~Copyable {
    let proxies: Proxies
    let fakeAddresses: FakeAddresses
    let table: NameTable<SharedMemory>
    let addressNames: AddressNames<SharedMemory>

    var configuration: Configuration { _read { yield proxies.configuration } }

    /// What an address of the program stands for, by the configuration's way with names.
    func meaning(of address: IPAddress) -> FakeAddresses.Meaning {
        configuration.reservesAddresses ? fakeAddresses.meaning(of: address) : .real
    }

    /// Whether names that somebody is asked for are looked up in the domains of resolv.conf(5). Where nobody is asked,
    /// nobody knows which of them there are.
    var searchesDomains: Bool {
        switch configuration.dns {
        case .tcp, .tor: configuration.searchesDomains
        case .fake, .local: false
        }
    }

    /// Whether a reserved address stands for the name.
    func givesFakeAddress(to name: HostName) -> Bool {
        switch configuration.dns {
        case .fake: true
        case .tor: NameSyntax.isOnion(name.bytes)
        case .tcp, .local: false
        }
    }

    /// The number of a name; nil when there is none for it.
    func number(of name: HostName) -> UInt32? { table.number(of: name, at: Clock.seconds) }

    /// The name under a number; nil when there is none.
    @inline(never)
    func name(of number: UInt32) -> HostName? { table.name(of: number, at: Clock.seconds) }

    /// The version of the name under a number, which is another when the number has become another name's; nil when there
    /// is none.
    @inline(never)
    func version(of number: UInt32) -> UInt32? { table.version(of: number) }

    /// The number of a name that is looked up; where all are in use, that is said.
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
