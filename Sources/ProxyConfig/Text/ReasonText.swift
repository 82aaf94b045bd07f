import Addressing

// The reasons of decisions, in the words of `--explain` and of the log.

extension Explanation {
    /// The phrase for a direct destination.
    public static var directWords: StaticString { "goes direct" }
}

extension Configuration {
    /// Writes the reason, after "because".
    public func write(_ reason: Reason, to sink: inout some ByteSink) {
        switch reason {
        case .rule(let index):
            sink.append("a rule says: ")
            writeRule(index, to: &sink)
        case .localNetwork: sink.append("a localnet says so")
        case .unspecifiedAddress: sink.append("this is the unspecified address")
        case .reservedAddress: sink.append("this reserved address has no name")
        case .loopback: sink.append("this is an address of this machine itself (loopback)")
        case .multicast: sink.append("this is a multicast or broadcast address")
        case .udpPolicy: sink.append("the keyword udp decides about datagrams")
        case .listenerPolicy: sink.append("the keyword bind decides")
        case .dnsMode: sink.append("the keyword dns decides about names")
        case .defaultChain: sink.append("no rule or setting says otherwise")
        }
    }
}
