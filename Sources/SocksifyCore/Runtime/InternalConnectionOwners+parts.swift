extension InternalConnectionOwners {
    /// Those of this process. All parts exist when the first connection is made.
    static var ofThisProcess: InternalConnectionOwners {
        InternalConnectionOwners(
            concludeAssociation: { end in
                guard let runtime = Runtime.existing else { return .closed }
                return Datagram.concludeAssociation(end, runtime.pointee.datagrams)
            },
            moveControl: { slot, cookie, control in
                guard let runtime = Runtime.existing else { return }
                Datagram.controlMoved(slot, cookie: cookie, to: control, runtime.pointee.datagrams)
            },
            answer: { transaction in
                guard let runtime = Runtime.existing else { return transaction.unmap() }
                NameServer.answer(transaction, runtime.pointee.datagrams)
            },
            endQuestion: {
                guard let runtime = Runtime.existing else { return }
                Questions().end()
                NameServer.startWaitingQuestions(runtime.pointee.datagrams)
            })
    }
}
