import CGSSAPI
import CKernel
import ProxyConfig

/// The security layers of one stream: those of the first proxy lie at the bottom, next to the socket, and encapsulate
/// what those of later proxies have encapsulated.
public struct SecurityLayers {
    private var layers = InlineArray<8, UnsafeMutablePointer<SecurityLayer>?>(repeating: nil)
    private(set) var count = 0
    /// What the mechanism said last.
    public var failure = SecurityFailure()
    /// For the owner, who may have another thread call `initialize`; 0 at first.
    public var helper: UInt64 = 0
    /// Of the layer that is being established.
    var settings: SecuritySettings?

    /// Bytes of room to put parts of a message together.
    private static var scratchSize: Int { 16384 }
    private static var scratchOffset: Int { (MemoryLayout<SecurityLayers>.stride + 4095) / 4096 * 4096 }
    private static var size: Int { scratchOffset + scratchSize }

    /// Room to put parts of a message together, for who sends.
    public static func scratch(of layers: UnsafeMutablePointer<SecurityLayers>) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: UnsafeMutableRawPointer(layers) + scratchOffset, count: scratchSize)
    }

    /// nil when there is no memory.
    public static func make() -> UnsafeMutablePointer<SecurityLayers>? {
        let mapped = kernel_map(size)
        guard mapped >= 0, let start = UnsafeMutableRawPointer(bitPattern: mapped) else { return nil }
        let layers = start.bindMemory(to: SecurityLayers.self, capacity: 1)
        layers.initialize(to: SecurityLayers())
        return layers
    }

    /// Ends all contexts and gives the memory back.
    public static func discard(_ layers: UnsafeMutablePointer<SecurityLayers>) {
        while layers.pointee.count > 0 { layers.pointee.removeLast() }
        kernel_unmap(layers, size)
    }

    subscript(index: Int) -> UnsafeMutablePointer<SecurityLayer>? {
        index >= 0 && index < count ? layers[index] : nil
    }

    /// The one next to the program.
    var last: UnsafeMutablePointer<SecurityLayer>? { self[count - 1] }

    /// Adds a layer. False when there is no room, or no memory.
    mutating func add(_ protection: GSSAPIProtection) -> Bool {
        guard count < layers.count, let layer = SecurityLayer.make(protection) else { return false }
        layers[count] = layer
        count += 1
        return true
    }

    mutating func removeLast() {
        guard let layer = last else { return }
        SecurityLayer.discard(layer)
        count -= 1
        layers[count] = nil
    }

    /// Whether the bytes of the stream are as the program has sent them.
    public var areEmpty: Bool { count == 0 }

    /// Decapsulated bytes that the program has not read yet.
    public var unread: Int { last?.pointee.unread ?? 0 }

    /// Copies unread bytes from `skipped` on; returns how many.
    public func copy(to room: UnsafeMutableRawBufferPointer, skipping skipped: Int) -> Int {
        last?.pointee.copy(to: room, skipping: skipped) ?? 0
    }

    /// Whether a message can be decapsulated before the unread bytes are read.
    public var takeMessages: Bool { last?.pointee.takesMessages ?? false }

    /// How many bytes the socket has to have for the present message to go on: all of its head, or all of the rest.
    public var missing: Int {
        guard let lowest = self[0] else { return 1 }
        return max((lowest.pointee.isLastByteKept ? 1 : 0) + lowest.pointee.wanted - lowest.pointee.received, 1)
    }

    /// Whether the rest of a message is to be sent.
    public var areSending: Bool {
        for index in 0..<count where layers[index]?.pointee.isSending == true { return true }
        return false
    }

    /// Whether any layer has bytes that were taken from the socket as a whole message and not read yet.
    var haveUnread: Bool {
        for index in 0..<count where (layers[index]?.pointee.unread ?? 0) > 0 { return true }
        return false
    }
}
