import CPreload
import ProxyConfig
import Synchronization
import Tunnel

/// The random user name for proxies without credentials, by which Tor separates circuits (`isolate`): one for each
/// process, or one for the process tree.
struct StreamIsolation: @unchecked Sendable {
    private let isolation: Isolation
    /// The random words of the process tree, or of the process and its forks.
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

    /// nil with `isolate none`.
    var credentials: IsolationCredentials? {
        guard isolation != .none else { return nil }
        var upper = atomic(words).pointee.load(ordering: .relaxed)
        // A forked child inherits the words of its parent.
        if isolation == .process { upper ^= UInt64(UInt32(bitPattern: process_own_id())) &* 0x9e37_79b9_7f4a_7c15 }
        return IsolationCredentials(upper: upper, lower: atomic(words + 1).pointee.load(ordering: .relaxed))
    }
}
