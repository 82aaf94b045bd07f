import CPreload

/// The marked descriptors of one socket in this process.
struct MarkedDescriptors {
    /// The marks to look for; a descriptor has at least one of them.
    let marks: UInt32
    let cookie: UInt64

    /// Calls `body` with each descriptor until it returns false.
    ///
    /// Repeats the scan until no descriptor was duplicated during it: another thread may duplicate a descriptor to a
    /// number that was already scanned, and close the original before the scan reaches it.
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

    /// The first of them; nil if there is none.
    func first(except other: Int32 = -1) -> Int32? {
        var found: Int32?
        visit { descriptor in
            if descriptor != other { found = descriptor }
            return found == nil
        }
        return found
    }
}
