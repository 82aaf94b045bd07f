/// Those for whom internal connections are made. They lie on higher floors, which say at the start what to do.
struct InternalConnectionOwners {
    /// The handshake of an association is over; says what becomes of the control connection. The caller has its lock.
    let concludeAssociation: (AssociationEnd) -> ControlFate
    /// The control connection of the relayed socket in this slot, with this cookie, goes on by another socket.
    let moveControl: (_ slot: Int, _ cookie: UInt64, _ control: Socket) -> Void
    /// A question that a datagram has asked is over: it is answered, and its memory given back.
    let answer: (DNSTransaction) -> Void
    /// The connection of such a question is closed: another one may begin.
    let endQuestion: () -> Void
}
