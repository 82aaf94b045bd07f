// What a process tree shares: theory of operation
//
// A process tree has a file, whose path is handed on in `SOCKSIFY_TABLE` (`SharedTableFile`): programs that are started
// by exec(3) find it there. The file has room for all parts and takes memory for what is used; a process maps each part
// when it needs it.
// Without such a file (no memory, another user's file, another version) a process shares the same tables with its forks
// alone, in memory of no name: it works as before, but a program that it starts knows nothing of its names and sockets.
//
// Any process of the tree can write anything there. So everything that is read is outside data: indices are bounded,
// words are checked, and a record counts only if its check fits. Zero is empty, as a new file is. The layout has a
// version, in the first word; a process that finds another one shares nothing. A change of the layout, here or in a
// table, counts it up.
//
// The tables work without locks, by atomic words: names, peers, original sockets, failures, positions in lists. The
// records of relayed sockets have a lock each (`OwnerLock`), which another thread takes over if its owner has ended.

import CPreload
import FakeDNS
import SharedTables
import Synchronization
import TableMemory

/// The state that a process tree shares: reserved addresses and their names, apparent peers of sockets, UDP
/// associations, original sockets, failed proxies and round-robin positions.
///
/// It lies in a file named by the environment (see `SharedTableFile`). If that is unusable (no memory, another user's
/// file, another version of the library), a process shares it only with its forks.
struct SharedTable {
    /// Bytes that UDP associations need: for their slots, and for their records.
    struct AssociationSizes {
        let slots, records: Int
    }

    private let parts: Parts
    let names: NameTable<SharedMemory>
    let sockets: PeerTable<SharedMemory>
    let addressNames: AddressNames<SharedMemory>
    /// Of the requested sizes; must be reached before use.
    let associationSlots, associations: SharedMemory
    let originals: OriginalSockets<SharedMemory>
    /// The times of the proxies' failures, in milliseconds of `Clock`, by fingerprint.
    let failures: KeyedWords
    /// The round-robin positions of lists, by fingerprint.
    let cursors: KeyedWords
    /// Two random words of the process tree, each 0 before it is set.
    let identity: UnsafeMutablePointer<UInt64>

    /// The maximum number of names with an address at a time.
    private static var largestNameCapacity: UInt32 { 131_070 }
    private static var socketCapacity: Int { 32_768 }
    private static var failureCapacity: Int { 2048 }
    private static var turnCapacity: Int { 512 }
    /// Addresses of names that this machine resolves because of rules.
    private static var addressCapacity: Int { 8_192 }

    // Layout: parts, each mapped on demand. The first has a word for the layout's version, a word that says whether the
    // table was handed on, two words of the tree's identity, a word for the last line logged without a configuration,
    // and the names. The other parts are the sockets, the names of addresses, the slots of the associations and their
    // records, the state of proxies and lists, and the original sockets.
    private static var isHandedOnOffset: Int { 8 }
    private static var identityOffset: Int { 16 }
    private static var saidOffset: Int { 32 }
    private static var namesOffset: Int { 64 }
    private static var turnsOffset: Int { KeyedWords.size(capacity: failureCapacity) }
    private typealias Parts = InlineArray<7, SharedMemory>
    private static func sizes(_ associations: AssociationSizes) -> InlineArray<7, Int> {
        [
            partSize(namesOffset + NameTable<SharedMemory>.size(capacity: largestNameCapacity)),
            partSize(PeerTable<SharedMemory>.size(capacity: socketCapacity)),
            partSize(AddressNames<SharedMemory>.size(capacity: addressCapacity)),
            partSize(associations.slots),
            partSize(associations.records),
            partSize(turnsOffset + KeyedWords.size(capacity: turnCapacity)),
            partSize(OriginalSockets<SharedMemory>.size(capacity: socketCapacity)),
        ]
    }
    private static func partSize(_ size: Int) -> Int { (size + 0xffff) & ~0xffff }
    /// The size of the file in bytes: room for all parts. Only used pages take memory.
    private static var size: Int { 96 << 20 }

    /// Increment with every change of the layout, here or in a table.
    private static var version: UInt64 { 8 }

    /// Bytes of private memory for a table.
    static func notesSize(_ associations: AssociationSizes) -> Int {
        let sizes = sizes(associations)
        var size = 0
        for index in sizes.indices { size += SharedMemory.notesSize(for: sizes[index]) }
        return size
    }

    /// The table of the process tree; nil without memory.
    ///
    /// - Parameters:
    ///   - addressCount: the number of reserved addresses.
    ///   - associations: the sizes for UDP associations.
    ///   - notes: `notesSize` bytes, zero-filled, private.
    init?(addressCount: UInt32, associations: AssociationSizes, notes: UnsafeMutableRawPointer) {
        let sizes = SharedTable.sizes(associations)
        let nameCapacity = min(SharedTable.largestNameCapacity, addressCount)
        environment_choose_table()
        let found =
            SharedTable.partsOfTree(sizes, nameCapacity: nameCapacity, addressCount: addressCount, notes: notes)
            ?? SharedMemory.privateParts(sizes, notes: notes)
        guard let found else { return nil }
        guard let names = SharedTable.names(found[0], nameCapacity, addressCount) else {
            for index in found.indices { found[index].unmap() }
            return nil
        }
        (parts, self.names) = (found, names)
        sockets = PeerTable(memory: parts[1], capacity: SharedTable.socketCapacity)
        addressNames = AddressNames(memory: parts[2], capacity: SharedTable.addressCapacity)
        (associationSlots, self.associations) = (parts[3], parts[4])
        failures = KeyedWords(memory: parts[5], capacity: SharedTable.failureCapacity)
        cursors = KeyedWords(memory: parts[5].dropping(SharedTable.turnsOffset), capacity: SharedTable.turnCapacity)
        originals = OriginalSockets(memory: parts[6], capacity: SharedTable.socketCapacity)
        // On the first page, which every process reaches before anything else.
        identity = (parts[0].base + SharedTable.identityOffset).assumingMemoryBound(to: UInt64.self)
        let user = UInt64(kernel_effective_user())
        atomic(process_user_word()).pointee.store(user, ordering: .relaxed)
    }

    /// nil if the names are damaged.
    private static func names(
        _ part: SharedMemory, _ capacity: UInt32, _ addressCount: UInt32
    ) -> NameTable<SharedMemory>? {
        NameTable(memory: part.dropping(namesOffset), capacity: capacity, numberCount: addressCount, random: random)
    }

    private static var random: UInt64 {
        // A fallback, if the kernel has no random bytes yet.
        var random = (UInt64(truncatingIfNeeded: Clock.now) << 32 | UInt64(UInt32(bitPattern: process_own_id())))
        random = random &* 0x9e37_79b9_7f4a_7c15
        _ = kernel_random(&random, 8)
        return random
    }

    // MARK: Copies

    /// Adds all parts to a copy; false without room.
    func add(to copy: inout SharedCopy) -> Bool {
        for index in parts.indices where !parts[index].add(to: &copy) { return false }
        return true
    }

    /// Continues with the copy.
    func leave(for copy: inout SharedCopy) {
        for index in parts.indices { parts[index].leave(for: &copy) }
        names.leave(random: SharedTable.random)
    }

    // MARK: News

    /// Records the digest of a log line. False if it was the last one logged by the process tree; true without a table.
    static func isNews(_ digest: UInt64) -> Bool {
        environment_choose_table()
        let pageSize = kernel_page_size()
        guard let path = SharedTableFile.path,
            let mapped = SharedTableFile(path)?.open(size: size, { kernel_map_file($0, 0, pageSize) }), mapped >= 0,
            let base = UnsafeMutableRawPointer(bitPattern: mapped)
        else { return true }
        defer { kernel_unmap(base, pageSize) }
        // Linux before 5.14 cannot tell whether there is memory for the page, and touching it might kill the program.
        guard kernel_populate(base, pageSize) == 0 else { return true }
        let said = atomic((base + saidOffset).assumingMemoryBound(to: UInt64.self))
        return said.pointee.exchange(digest, ordering: .relaxed) != digest
    }

    /// nil if the process cannot use the tree's table.
    private static func partsOfTree(
        _ sizes: InlineArray<7, Int>, nameCapacity: UInt32, addressCount: UInt32, notes: UnsafeMutableRawPointer
    ) -> Parts? {
        guard let path = SharedTableFile.path, let file = SharedTableFile(path),
            let parts = file.open(size: size, { SharedMemory.parts(sizes, of: $0, notes: notes) })
        else { return nil }
        guard isUnderstood(parts[0], nameCapacity: nameCapacity),
            names(parts[0], nameCapacity, addressCount) != nil
        else {
            for index in parts.indices { parts[index].unmap() }
            return nil
        }
        let isHandedOn = (parts[0].base + isHandedOnOffset).assumingMemoryBound(to: UInt64.self)
        if file.isUnshared {
            environment_table_is_unshared(isHandedOn)
        } else {
            atomic(isHandedOn).pointee.store(1, ordering: .relaxed)
        }
        return parts
    }

    /// Whether the layout is that of this version. The first process sets it.
    private static func isUnderstood(_ memory: SharedMemory, nameCapacity: UInt32) -> Bool {
        // "sock", the version, and what the names' layout depends on.
        let layout = 0x736f_636b << 32 | version << 24 | UInt64(nameCapacity)
        let word = memory.base.assumingMemoryBound(to: Atomic<UInt64>.self)
        let (exchanged, found) = word.pointee.compareExchange(
            expected: 0, desired: layout, ordering: .acquiringAndReleasing)
        return exchanged || found == layout
    }

    /// Whether processes other than the root may know the table of this file.
    static func isHandedOn(_ descriptor: Int32) -> Bool {
        var words = InlineArray<2, UInt64>(repeating: 0)
        let size = isHandedOnOffset + 8
        return kernel_read(descriptor, &words, size) != size || words[1] != 0
    }
}
