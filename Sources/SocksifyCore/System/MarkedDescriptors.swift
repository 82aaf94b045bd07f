import CPreload

/// The descriptors with certain marks that stand for one socket in this process.
struct MarkedDescriptors {
    /// Of which a descriptor has at least one.
    let marks: UInt32
    let cookie: UInt64

    /// Calls `body` with each; it returns whether to go on.
    ///
    /// A thread may duplicate a descriptor meanwhile, by a number that was passed already, and close the one that comes
    /// next: so all are looked at again until no duplicate was made during a look.
    func visit(_ body: (Int32) -> Bool) {
        while true {
            let duplications = descriptor_duplications()
            for descriptor in 0..<descriptor_end()
            where descriptor_mark(descriptor) & marks != 0 && Socket(descriptor: descriptor).cookie == cookie {
                guard body(descriptor) else { return }
            }
            if descriptor_duplications() == duplications { return }
        }
    }

    /// One of them; nil when there is none.
    func first(except other: Int32 = -1) -> Int32? {
        var found: Int32?
        visit { descriptor in
            if descriptor != other { found = descriptor }
            return found == nil
        }
        return found
    }
}
