import CKernel

/// Datagrams, each with its header, that wait for an association to be opened: a network that holds a few back, and
/// drops what is too much. In memory of the process' own; used under the lock of the socket's record.
struct DatagramQueue {
    /// The number of bytes in the queue; then for each datagram its length, and it.
    let memory: UnsafeMutableRawPointer

    private static var size: Int { 256 * 1024 }
    private static var start: Int { 8 }

    /// nil when there is no memory.
    static func make() -> DatagramQueue? {
        Mapping(size).map { DatagramQueue(memory: $0.start) }
    }

    func unmap() { Mapping(memory, DatagramQueue.size).unmap() }

    private var used: Int {
        get { memory.load(as: Int.self) }
        nonmutating set { memory.storeBytes(of: newValue, as: Int.self) }
    }

    /// Appends a datagram of `count` bytes, written by `write`, if there is room.
    func append(count: Int, _ write: (UnsafeMutableRawBufferPointer) -> Void) {
        let offset = DatagramQueue.start + used
        guard count >= 0, count <= DatagramQueue.size - offset - 8 else { return }
        memory.storeBytes(of: count, toByteOffset: offset, as: Int.self)
        write(UnsafeMutableRawBufferPointer(start: memory + offset + 8, count: count))
        used += (8 + count + 7) / 8 * 8
    }

    /// Lends room for `count` bytes behind the queue's content.
    func withRoom(count: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void) {
        let offset = DatagramQueue.start + used
        guard count >= 0, count <= DatagramQueue.size - offset else { return }
        body(UnsafeMutableRawBufferPointer(start: memory + offset, count: count))
    }

    /// Hands out all of them, in their order.
    func hand(_ body: (UnsafeMutableRawBufferPointer) -> Void) {
        var offset = DatagramQueue.start
        let end = offset + used
        while offset < end {
            let count = memory.load(fromByteOffset: offset, as: Int.self)
            body(UnsafeMutableRawBufferPointer(start: memory + offset + 8, count: count))
            offset += (8 + count + 7) / 8 * 8
        }
    }
}
