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
    func room(of place: Int) -> UnsafeMutableRawPointer? {
        let start = group(of: place).assumingMemoryBound(to: Atomic<UInt>.self).pointee.load(ordering: .acquiring)
        return UnsafeMutableRawPointer(bitPattern: start).map { room(of: place, in: $0) }
    }

    /// Maps the room if necessary; nil without memory.
    func makeRoom(of place: Int) -> UnsafeMutableRawPointer? {
        let slot = group(of: place).assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
        return mapped_once(slot, roomSize * PrivateRooms.together).map { room(of: place, in: $0) }
    }

    private func group(of place: Int) -> UnsafeMutableRawPointer { groups + place / PrivateRooms.together * 8 }

    private func room(of place: Int, in group: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        group + place % PrivateRooms.together * roomSize
    }
}
