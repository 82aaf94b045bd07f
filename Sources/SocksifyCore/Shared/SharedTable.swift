import CPreload
import FakeDNS
import SocketTable
import Synchronization
import TableMemory

/// What the processes of a tree know in common: the names that addresses stand for, the apparent peers of sockets, the
/// datagram associations, the sockets that stand in the places of others, which proxies have failed, and how far lists of
/// proxies are gone through.
///
/// It lies in a file that the environment names (see `SharedTableFile`). Where that cannot be had, be it for lack of
/// memory, because the file is another user's, or because another version of the library made it, a process shares it
/// with none but those that fork from it.
struct SharedTable {
    /// Bytes that the associations of datagrams need: of their places, and of their records.
    struct AssociationSizes {
        let places, records: Int
    }

    private let parts: Parts
    let names: NameTable<SharedMemory>
    let sockets: SocketTable<SharedMemory>
    let addressNames: AddressNames<SharedMemory>
    /// As much as was asked for; none is to be touched before it was reached.
    let associationPlaces, associations: SharedMemory
    let replaced: ReplacedSockets<SharedMemory>
    /// When proxies have failed, by their fingerprints, in milliseconds of `Clock`.
    let failures: KeyedWords
    /// How many hops of a list the chains have gone on by, by the list's fingerprint.
    let turns: KeyedWords
    /// Two random words of the tree, each 0 before it is made.
    let identity: UnsafeMutablePointer<UInt64>

    /// Names that have an address at the same time.
    private static var largestNameCapacity: UInt32 { 131_070 }
    private static var socketCapacity: Int { 32_768 }
    private static var failureCapacity: Int { 2048 }
    private static var turnCapacity: Int { 512 }
    /// Addresses of names that this machine resolves because rules say so.
    private static var addressCapacity: Int { 8_192 }

    // Layout: parts, each of which is mapped by need. The first has a word for what the rest means, a word for whether the
    // table was handed on, two of the tree's identity, a word for what a process without a configuration has said, and
    // the names; behind it are the sockets, the names of addresses, the places of the associations and their records, what
    // is known of proxies and lists, and the replaced sockets.
    private static var isHandedOnOffset: Int { 8 }
    private static var identityOffset: Int { 16 }
    private static var saidOffset: Int { 32 }
    private static var namesOffset: Int { 64 }
    private static var turnsOffset: Int { KeyedWords.size(capacity: failureCapacity) }
    private typealias Parts = InlineArray<7, SharedMemory>
    private static func sizes(_ associations: AssociationSizes) -> InlineArray<7, Int> {
        [
            partSize(namesOffset + NameTable<SharedMemory>.size(capacity: largestNameCapacity)),
            partSize(SocketTable<SharedMemory>.size(capacity: socketCapacity)),
            partSize(AddressNames<SharedMemory>.size(capacity: addressCapacity)),
            partSize(associations.places),
            partSize(associations.records),
            partSize(turnsOffset + KeyedWords.size(capacity: turnCapacity)),
            partSize(ReplacedSockets<SharedMemory>.size(capacity: socketCapacity)),
        ]
    }
    private static func partSize(_ size: Int) -> Int { (size + 0xffff) & ~0xffff }
    /// Of the file, in bytes: room for all parts. What is used of it is taken.
    private static var size: Int { 96 << 20 }

    /// To be counted up with every change of the layout, here or in a table.
    private static var version: UInt64 { 7 }

    /// Private memory that a table needs, in bytes.
    static func notesSize(_ associations: AssociationSizes) -> Int {
        let sizes = sizes(associations)
        var size = 0
        for index in sizes.indices { size += SharedMemory.notesSize(for: sizes[index]) }
        return size
    }

    /// The table of the tree that the process belongs to; nil when there is no memory.
    ///
    /// - Parameters:
    ///   - addressCount: how many names can have an address.
    ///   - associations: what these need of it.
    ///   - notes: `notesSize` bytes, zero-filled, private.
    init?(addressCount: UInt32, associations: AssociationSizes, notes: UnsafeMutableRawPointer) {
        let sizes = SharedTable.sizes(associations)
        let nameCapacity = min(SharedTable.largestNameCapacity, addressCount)
        socksify_choose_table()
        let found =
            SharedTable.partsOfTree(sizes, nameCapacity: nameCapacity, addressCount: addressCount, notes: notes)
            ?? SharedMemory.privateParts(sizes, notes: notes)
        guard let found else { return nil }
        guard let names = SharedTable.names(found[0], nameCapacity, addressCount) else {
            for index in found.indices { found[index].unmap() }
            return nil
        }
        (parts, self.names) = (found, names)
        sockets = SocketTable(memory: parts[1], capacity: SharedTable.socketCapacity)
        addressNames = AddressNames(memory: parts[2], capacity: SharedTable.addressCapacity)
        (associationPlaces, self.associations) = (parts[3], parts[4])
        failures = KeyedWords(memory: parts[5], capacity: SharedTable.failureCapacity)
        turns = KeyedWords(memory: parts[5].dropping(SharedTable.turnsOffset), capacity: SharedTable.turnCapacity)
        replaced = ReplacedSockets(memory: parts[6], capacity: SharedTable.socketCapacity)
        // On the first page, which every process reaches before anything else.
        identity = (parts[0].base + SharedTable.identityOffset).assumingMemoryBound(to: UInt64.self)
        let user = UInt64(kernel_effective_user())
        atomic(socksify_user_word()).pointee.store(user, ordering: .relaxed)
    }

    /// nil for names that were damaged.
    private static func names(
        _ part: SharedMemory, _ capacity: UInt32, _ addressCount: UInt32
    ) -> NameTable<SharedMemory>? {
        NameTable(memory: part.dropping(namesOffset), capacity: capacity, numberCount: addressCount, random: random)
    }

    private static var random: UInt64 {
        // As good as it gets where the kernel has none yet.
        var random = (UInt64(truncatingIfNeeded: Clock.now) << 32 | UInt64(UInt32(bitPattern: process_own_id())))
        random = random &* 0x9e37_79b9_7f4a_7c15
        _ = kernel_random(&random, 8)
        return random
    }

    // MARK: Copies

    /// Adds all of it to a copy; false when there is no room.
    func add(to copy: inout SharedCopy) -> Bool {
        for index in parts.indices where !parts[index].add(to: &copy) { return false }
        return true
    }

    /// Goes on with the copy.
    func leave(for copy: inout SharedCopy) {
        for index in parts.indices { parts[index].leave(for: &copy) }
        names.leave(random: SharedTable.random)
    }

    // MARK: News

    /// Whether no process of the tree has said what has this digest just before; from now on one has. Where there is no
    /// table to know it from, nobody has.
    static func isNews(_ digest: UInt64) -> Bool {
        socksify_choose_table()
        let pageSize = kernel_page_size()
        guard let path = SharedTableFile.path,
            let mapped = SharedTableFile(path)?.open(size: size, { kernel_map_file($0, 0, pageSize) }), mapped >= 0,
            let base = UnsafeMutableRawPointer(bitPattern: mapped)
        else { return true }
        defer { kernel_unmap(base, pageSize) }
        // Before Linux 5.14 nothing tells whether there is memory for it, and touching it might end the program.
        guard kernel_populate(base, pageSize) == 0 else { return true }
        let said = atomic((base + saidOffset).assumingMemoryBound(to: UInt64.self))
        return said.pointee.exchange(digest, ordering: .relaxed) != digest
    }

    /// nil when the process cannot share it.
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
            socksify_table_is_unshared(isHandedOn)
        } else {
            atomic(isHandedOn).pointee.store(1, ordering: .relaxed)
        }
        return parts
    }

    /// Whether the memory is laid out as this process would have it. The first to come lays it out.
    private static func isUnderstood(_ memory: SharedMemory, nameCapacity: UInt32) -> Bool {
        // "sock", the version, and what the names' layout depends on.
        let layout = 0x736f_636b << 32 | version << 24 | UInt64(nameCapacity)
        let word = memory.base.assumingMemoryBound(to: Atomic<UInt64>.self)
        let (exchanged, found) = word.pointee.compareExchange(
            expected: 0, desired: layout, ordering: .acquiringAndReleasing)
        return exchanged || found == layout
    }

    /// Whether the table of this file may be known to other processes than its root.
    static func isHandedOn(_ descriptor: Int32) -> Bool {
        var words = InlineArray<2, UInt64>(repeating: 0)
        let size = isHandedOnOffset + 8
        return kernel_read(descriptor, &words, size) != size || words[1] != 0
    }
}
