import CPreload
import SOCKS5
import StreamSecurity
import Synchronization
import Tunnel

/// The thread that makes a security context while a connection is pending. It ends with that.
enum MechanismThread {
    enum State {
        case none
        case working
        case failed(ProtocolError)
    }

    // The layers' word.
    private static var working: UInt64 { 1 }
    private static var failed: UInt64 { 2 }
    private static var abandoned: UInt64 { 3 }

    private static func word(_ layers: UnsafeMutablePointer<SecurityLayers>) -> UnsafeMutablePointer<Atomic<UInt64>> {
        withUnsafeMutablePointer(to: &layers.pointee.helper) { atomic($0) }
    }

    static func state(_ layers: UnsafeMutablePointer<SecurityLayers>) -> State {
        switch word(layers).pointee.load(ordering: .acquiring) {
        case 0: .none
        case failed: .failed(.mechanismFailed)
        default: .working
        }
    }

    /// The connection is given up. Whether the layers are the caller's to discard: else the thread does that.
    static func abandon(_ layers: UnsafeMutablePointer<SecurityLayers>) -> Bool {
        word(layers).pointee.exchange(abandoned, ordering: .acquiringAndReleasing) != working
    }

    private struct Work {
        let stream: SecuredStream<KernelStream>
        let cookie: UInt64
        let connections: UnsafePointer<Connections>
    }

    static func start(
        _ stream: SecuredStream<KernelStream>, _ cookie: UInt64, _ connections: UnsafePointer<Connections>
    ) throws(StreamFailure) {
        // A child of vfork has the memory of its parent.
        guard process_is_own() != 0 else { throw .kernel(.again) }
        guard let mapping = Mapping(MemoryLayout<Work>.size) else { throw .kernel(.outOfMemory) }
        mapping.start.bindMemory(to: Work.self, capacity: 1).initialize(
            to: Work(stream: stream, cookie: cookie, connections: connections))
        word(stream.layers).pointee.store(working, ordering: .releasing)
        let error = library_thread_start(runMechanismThread, mapping.start)
        guard error != 0 else { return }
        word(stream.layers).pointee.store(0, ordering: .relaxed)
        mapping.unmap()
        throw .kernel(Errno(error))
    }

    fileprivate static func run(_ memory: UnsafeMutableRawPointer) {
        let work = memory.assumingMemoryBound(to: Work.self).pointee
        Mapping(memory, MemoryLayout<Work>.size).unmap()
        mechanism_calls_begin(MECHANISM_CALLS_DIRECT)
        var result: UInt64 = 0
        do throws(StreamFailure) {
            try work.stream.initialize()
        } catch {
            result = failed
        }
        mechanism_calls_end()
        let before = word(work.stream.layers).pointee.compareExchange(
            expected: working, desired: result, ordering: .acquiringAndReleasing)
        guard before.exchanged else { return SecurityLayers.discard(work.stream.layers) }
        guard
            case .entered(var pending) = PendingHandle.enter(
                cookie: work.cookie, work.stream.below.socket, work.connections)
        else { return }
        pending.step()
        pending.leave()
    }
}

/// What the thread runs.
private func runMechanismThread(_ memory: UnsafeMutableRawPointer?) {
    guard let memory else { return }
    MechanismThread.run(memory)
}
