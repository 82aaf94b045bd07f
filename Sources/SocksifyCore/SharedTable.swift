import CLibC
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
    let names: NameTable<SharedMemory>
    let sockets: SocketTable<SharedMemory>
    let addressNames: AddressNames<SharedMemory>
    /// `associationsSize` bytes; none is to be touched before it was reached.
    let associations: SharedMemory
    let replaced: ReplacedSockets<SharedMemory>
    /// When proxies have failed, by their fingerprints, in milliseconds of `Clock`.
    let failures: KeyedWords
    /// How many hops of a list the chains have gone on by, by the list's fingerprint.
    let turns: KeyedWords
    /// Two random words of the tree, each 0 before it is made.
    let identity: UnsafeMutablePointer<UInt64>

    static var associationsSize: Int { (CarriedSockets.size + 0xffff) & ~0xffff }

    /// Names that have an address at the same time.
    private static var largestNameCapacity: UInt32 { 65_536 }
    private static var socketCapacity: Int { 32_768 }
    private static var failureCapacity: Int { 2048 }
    private static var turnCapacity: Int { 512 }
    /// Addresses of names that this machine resolves because rules say so.
    private static var addressCapacity: Int { 8_192 }

    // Layout: a word for what the rest means, a word for whether the table was handed on, two of the tree's identity, a word
    // for what a process without a configuration has said, the names, and on pages of their own the sockets, the names of
    // addresses, the associations, what is known of proxies and lists, and the replaced sockets.
    private static var isHandedOnOffset: Int { 8 }
    private static var identityOffset: Int { 16 }
    private static var saidOffset: Int { 32 }
    private static var namesOffset: Int { 64 }
    private static var socketsOffset: Int {
        (namesOffset + NameTable<SharedMemory>.size(capacity: largestNameCapacity) + 0xffff) & ~0xffff
    }
    private static var addressNamesOffset: Int {
        socketsOffset + SocketTable<SharedMemory>.size(capacity: socketCapacity)
    }
    private static var associationsOffset: Int {
        addressNamesOffset + AddressNames<SharedMemory>.size(capacity: addressCapacity)
    }
    private static var failuresOffset: Int { associationsOffset + associationsSize }
    private static var turnsOffset: Int { failuresOffset + KeyedWords.size(capacity: failureCapacity) }
    private static var replacedOffset: Int {
        (turnsOffset + KeyedWords.size(capacity: turnCapacity) + 0xffff) & ~0xffff
    }
    /// Address space of 36 MiB, of which what is used is taken.
    private static var size: Int {
        replacedOffset + ReplacedSockets<SharedMemory>.size(capacity: socketCapacity)
    }

    /// To be counted up with every change of the layout, here or in a table.
    private static var version: UInt64 { 4 }

    /// Private memory that a table needs, in bytes.
    static var pagesSize: Int { SharedMemory.pagesSize(for: size) }

    /// The table of the tree that the process belongs to; nil when there is no memory.
    ///
    /// - Parameters:
    ///   - addressCount: how many names can have an address.
    ///   - pages: `pagesSize` bytes, zero-filled, private.
    init?(addressCount: UInt32, pages: UnsafeMutableRawPointer) {
        let nameCapacity = min(SharedTable.largestNameCapacity, addressCount)
        socksify_choose_table()
        let memory =
            SharedTable.memoryOfTree(nameCapacity: nameCapacity, pages: pages)
            ?? SharedMemory(forkedFrom: SharedTable.size, pages: pages)
        guard let memory else { return nil }
        names = NameTable(memory: memory.dropping(SharedTable.namesOffset), capacity: nameCapacity)
        sockets = SocketTable(
            memory: memory.dropping(SharedTable.socketsOffset), capacity: SharedTable.socketCapacity)
        addressNames = AddressNames(
            memory: memory.dropping(SharedTable.addressNamesOffset), capacity: SharedTable.addressCapacity)
        associations = memory.dropping(SharedTable.associationsOffset)
        failures = KeyedWords(
            memory: memory.dropping(SharedTable.failuresOffset), capacity: SharedTable.failureCapacity)
        turns = KeyedWords(memory: memory.dropping(SharedTable.turnsOffset), capacity: SharedTable.turnCapacity)
        replaced = ReplacedSockets(
            memory: memory.dropping(SharedTable.replacedOffset), capacity: SharedTable.socketCapacity)
        // On the first page, which every process reaches before anything else.
        identity = (memory.base + SharedTable.identityOffset).assumingMemoryBound(to: UInt64.self)
    }

    /// Whether no process of the tree has said what has this digest just before; from now on one has. Where there is no
    /// table to know it from, nobody has.
    static func isNews(_ digest: UInt64) -> Bool {
        socksify_choose_table()
        guard let path = SharedTableFile.path, let base = SharedTableFile(path)?.map(size: size) else { return true }
        defer { kernel_unmap(base, size) }
        // Before Linux 5.14 nothing tells whether there is memory for it, and touching it might end the program.
        guard kernel_populate(base, kernel_page_size()) == 0 else { return true }
        let said = atomic((base + saidOffset).assumingMemoryBound(to: UInt64.self))
        return said.pointee.exchange(digest, ordering: .relaxed) != digest
    }

    /// nil when the process cannot share it.
    private static func memoryOfTree(nameCapacity: UInt32, pages: UnsafeMutableRawPointer) -> SharedMemory? {
        guard let path = SharedTableFile.path, let file = SharedTableFile(path),
            let memory = SharedMemory(file, size: size, pages: pages)
        else { return nil }
        guard isUnderstood(memory, nameCapacity: nameCapacity) else {
            kernel_unmap(memory.base, size)
            return nil
        }
        let isHandedOn = (memory.base + isHandedOnOffset).assumingMemoryBound(to: UInt64.self)
        if file.isUnshared {
            socksify_table_is_unshared(isHandedOn)
        } else {
            atomic(isHandedOn).pointee.store(1, ordering: .relaxed)
        }
        return memory
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
