import ProxyConfig
import Synchronization

/// The recently failed proxies, shared by the process tree. Processes may have different configurations: keys are
/// fingerprints of the proxies.
struct ProxyHealth: @unchecked Sendable {
    private let failures: KeyedWords
    /// A key for each proxy of the configuration.
    private let keys: UnsafePointer<UInt64>
    private let count: Int
    /// Milliseconds for which a failure is remembered.
    private let memory: Int

    static func size(_ configuration: Configuration) -> Int { max(configuration.proxies.count, 1) * 8 }

    /// - Parameter keys: `size` bytes.
    init(_ configuration: Configuration, failures: KeyedWords, keys: UnsafeMutableRawPointer) {
        self.failures = failures
        count = configuration.proxies.count
        memory = min(max(configuration.deadTime, 0), Clock.longest / 1000) * 1000
        let words = keys.bindMemory(to: UInt64.self, capacity: max(count, 1))
        for index in 0..<count { words[index] = Fingerprint(configuration.proxies[index]).value }
        self.keys = UnsafePointer(words)
    }

    /// The key for the time of the last failure of any proxy.
    private static var anyProxy: UInt64 { 1 }

    /// Records a failure of the proxy.
    func note(failureOf index: Int) {
        guard memory > 0, index >= 0, index < count else { return }
        let now = UInt64(max(Clock.now, 1))
        failures.word(of: keys[index], isMade: true)?.pointee.store(now, ordering: .relaxed)
        failures.word(of: ProxyHealth.anyProxy, isMade: true)?.pointee.store(now, ordering: .releasing)
    }

    /// Records that the proxy works.
    func note(answerOf index: Int) {
        guard hasFailures, index >= 0, index < count else { return }
        failures.word(of: keys[index], isMade: false)?.pointee.store(0, ordering: .relaxed)
    }

    /// The proxies that have failed and not answered since.
    var dead: ProxySet {
        var dead = ProxySet()
        guard hasFailures else { return dead }
        for index in 0..<count where hasFailed(keys[index]) { dead.insert(index) }
        return dead
    }

    private var hasFailures: Bool { memory > 0 && hasFailed(ProxyHealth.anyProxy) }

    private func hasFailed(_ key: UInt64) -> Bool {
        guard let last = failures.word(of: key, isMade: false)?.pointee.load(ordering: .acquiring), last != 0
        else { return false }
        // Shared memory may hold any value, also a future time.
        return (0..<memory).contains(Clock.now &- Int(truncatingIfNeeded: last))
    }
}
