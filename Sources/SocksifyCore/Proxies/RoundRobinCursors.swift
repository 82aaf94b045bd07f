import ProxyConfig
import Synchronization

/// The positions of the configuration's lists (`round_robin_chain`), shared by the process tree.
struct RoundRobinCursors: @unchecked Sendable {
    private let cursors: KeyedWords
    /// A key for each list of the configuration.
    private let keys: UnsafePointer<UInt64>
    private let count: Int

    static func size(_ configuration: Configuration) -> Int { max(configuration.lists.count, 1) * 8 }

    /// - Parameter keys: `size` bytes.
    init(_ configuration: Configuration, cursors: KeyedWords, keys: UnsafeMutableRawPointer) {
        self.cursors = cursors
        count = configuration.lists.count
        let words = keys.bindMemory(to: UInt64.self, capacity: max(count, 1))
        for index in 0..<count { words[index] = Fingerprint(configuration.lists[index], configuration).value }
        self.keys = UnsafePointer(words)
    }

    func word(of list: Int) -> UnsafeMutablePointer<Atomic<UInt64>>? {
        guard list >= 0, list < count else { return nil }
        return cursors.word(of: keys[list], isMade: true)
    }
}
