import CPreload
import ProxyConfig
import Synchronization
import Tunnel

/// The user name by which a proxy keeps connections apart, of those that it wants no credentials for (`isolate`): a
/// random one, the same for a process, or for all that were started from one.
struct IsolationName: @unchecked Sendable {
    private let isolation: Isolation
    /// The random words of the tree, or of the process and those that have forked from it.
    private let words: UnsafeMutablePointer<UInt64>

    static var ownSize: Int { 16 }

    /// - Parameters:
    ///   - tree: two words that the processes of the tree share.
    ///   - own: `ownSize` bytes, zero-filled, private.
    init(_ isolation: Isolation, tree: UnsafeMutablePointer<UInt64>, own: UnsafeMutableRawPointer) {
        self.isolation = isolation
        words = isolation == .tree ? tree : own.bindMemory(to: UInt64.self, capacity: 2)
        guard isolation != .none else { return }
        for index in 0..<2 {
            var random: UInt64 = 0
            _ = kernel_random(&random, 8)
            // Another process of the tree may have been first.
            _ = atomic(words + index).pointee.compareExchange(expected: 0, desired: random | 1, ordering: .relaxed)
        }
    }

    /// nil where connections are not kept apart.
    var credentials: IsolationCredentials? {
        guard isolation != .none else { return nil }
        var upper = atomic(words).pointee.load(ordering: .relaxed)
        // A child of fork has its parent's words.
        if isolation == .process { upper ^= UInt64(UInt32(bitPattern: process_own_id())) &* 0x9e37_79b9_7f4a_7c15 }
        return IsolationCredentials(upper: upper, lower: atomic(words + 1).pointee.load(ordering: .relaxed))
    }
}
