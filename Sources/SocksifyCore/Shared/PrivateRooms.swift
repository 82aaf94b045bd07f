import CKernel
import Synchronization

/// Private memory of a process for each slot of a shared table: rooms that are mapped on demand, in groups.
struct PrivateRooms: @unchecked Sendable {
    /// The address of each group of rooms.
    private let groups: UnsafeMutableRawPointer
    private let roomSize: Int

    private static var together: Int { 16 }

    /// Bytes of private memory for the addresses of the groups.
    static func size(capacity: Int) -> Int { capacity / together * 8 }

    /// - Parameters:
    ///   - groups: `size(capacity:)` bytes, zero-filled.
    ///   - roomSize: bytes, a multiple of the alignment of the contents.
    init(_ groups: UnsafeMutableRawPointer, roomSize: Int) {
        self.groups = groups
        self.roomSize = roomSize
    }

    /// nil if it is not mapped yet. A room is zero-filled at first.
    func room(of slot: Int) -> UnsafeMutableRawPointer? {
        let start = group(of: slot).assumingMemoryBound(to: Atomic<UInt>.self).pointee.load(ordering: .acquiring)
        return UnsafeMutableRawPointer(bitPattern: start).map { room(of: slot, in: $0) }
    }

    /// Maps the room if necessary; nil without memory.
    func makeRoom(of slot: Int) -> UnsafeMutableRawPointer? {
        let entry = group(of: slot).assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
        return kernel_map_once(entry, roomSize * PrivateRooms.together).map { room(of: slot, in: $0) }
    }

    private func group(of slot: Int) -> UnsafeMutableRawPointer { groups + slot / PrivateRooms.together * 8 }

    private func room(of slot: Int, in group: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        group + slot % PrivateRooms.together * roomSize
    }
}
