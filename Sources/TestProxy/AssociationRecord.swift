/// The datagrams of a UDP association.
public struct AssociationRecord: Equatable, Sendable {
    /// The relay's address, which is BND.ADDR in the reply unless the script sets another.
    public var relay: Endpoint
    /// The client's datagrams that were taken, each fragment counted, and the malformed ones too.
    public var fromClient = 0
    /// The targets' datagrams for the client, as they came.
    public var toClient = 0
    /// The client's malformed datagrams.
    public var malformed = 0
    /// The client's that had a FRAG.
    public var fragments = 0
    /// The datagrams that were put together from fragments.
    public var reassembled = 0
    /// Datagrams to the relay that did not come from the client's address and port.
    public var fromStrangers = 0
    /// Datagrams from sources to which the client has sent nothing.
    public var unasked = 0
    /// Each that the client named, once, by address or name as it did, in the order in which they came.
    public var destinations: [Endpoint] = []
    /// Each source port at the client's address, once, in the order in which they came; the relay serves the first.
    public var clientPorts: [UInt16] = []
    /// The client's last datagrams, as they came; as many as the script has kept.
    public var lastFromClient: [[UInt8]] = []

    init(relay: Endpoint) { self.relay = relay }
}
