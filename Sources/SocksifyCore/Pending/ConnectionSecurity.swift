import CPreload
import ProxyConfig
import SOCKS5
import StreamSecurity
import Synchronization
import Tunnel

/// The security contexts of a pending connection: who makes them, and where they are kept.
///
/// gss_init_sec_context(3) waits for a KDC if the ticket for the proxy is not in the cache, half a minute for one that is
/// silent. So it is called twice: first in the thread that steps the connection, with every connection and every lookup of
/// the mechanism refused, which is over at once if the ticket is there; if it was refused any, then in a thread that ends
/// with it, and steps the connection itself when it is done.
struct ConnectionSecurity {
    /// The record's; nil as long as no proxy has asked for a context.
    let layers: UnsafeMutablePointer<UnsafeMutablePointer<SecurityLayers>?>
    let cookie: UInt64
    let connections: UnsafePointer<Connections>

    func secure(
        _ index: Int, _ proxies: Span<Proxy>, over kernel: KernelStream
    ) throws(StreamFailure) -> Securing {
        let layers = self.layers.pointee ?? SecurityLayers.make()
        guard let layers else { throw .kernel(.outOfMemory) }
        self.layers.pointee = layers
        switch MechanismThread.state(layers) {
        case .working: return .waitsToReceive
        case .failed(let error): throw .proxy(.socks5(error))
        case .none: break
        }
        let stream = SecuredStream(over: kernel, layers)
        if !stream.isEstablishing {
            // A filter may end the process for the mechanism's calls.
            guard process_is_confined() == 0 else {
                layers.pointee.failure = SecurityFailure("the program is under a filter of system calls (seccomp)")
                throw .proxy(.socks5(.mechanismFailed))
            }
            try stream.begin(with: proxies[index])
        }
        while true {
            switch try stream.establish() {
            case .waitsToSend: return .waitsToSend
            case .waitsToReceive: return .waitsToReceive
            case .done: return .done
            case .initialize:
                mechanism_calls_begin(MECHANISM_CALLS_REFUSED)
                defer { mechanism_calls_end() }
                do throws(StreamFailure) {
                    try stream.initialize()
                } catch {
                    guard mechanism_calls_were_refused() != 0 else { throw error }
                    mechanism_calls_end()
                    try MechanismThread.start(stream, cookie, connections)
                    return .waitsToReceive
                }
            }
        }
    }

    /// Gives up what there is.
    static func discard(_ layers: inout UnsafeMutablePointer<SecurityLayers>?) {
        guard let former = layers else { return }
        layers = nil
        if MechanismThread.abandon(former) { SecurityLayers.discard(former) }
    }
}
