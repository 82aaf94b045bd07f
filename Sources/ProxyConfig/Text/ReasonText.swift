import Addressing

// Why something is decided, in the words of `--explain` and of the log.

extension Explanation {
    /// What is said of what goes direct.
    public static var directWords: StaticString { "goes around the proxies" }
}

extension Configuration {
    /// Writes what decided, behind a "because".
    public func write(_ reason: Reason, to sink: inout some ByteSink) {
        switch reason {
        case .rule(let index):
            sink.append("a rule says: ")
            writeRule(index, to: &sink)
        case .localNetwork: sink.append("a localnet says so")
        case .unspecifiedAddress: sink.append("this is the address of no host")
        case .reservedAddress: sink.append("this address is reserved for names, and stands for none")
        case .loopback: sink.append("this is an address of this machine itself (loopback)")
        case .multicast: sink.append("this is an address of the network that this machine is on")
        case .udpPolicy: sink.append("the keyword udp says what becomes of datagrams")
        case .listenerPolicy: sink.append("the keyword bind says so")
        case .dnsMode: sink.append("the keyword dns says what becomes of names")
        case .defaultChain: sink.append("nothing says otherwise")
        }
    }
}
