import CKernel
import Synchronization

/// What a process has for itself of each place of a table: rooms that are mapped by need, some of them together.
struct PrivateRooms: @unchecked Sendable {
    /// Says where each group of rooms lies.
    private let groups: UnsafeMutableRawPointer
    private let roomSize: Int

    private static var together: Int { 16 }

    /// Bytes of private memory by which the rooms of so many places are found.
    static func size(capacity: Int) -> Int { capacity / together * 8 }

    /// - Parameters:
    ///   - groups: `size(capacity:)` bytes, zero-filled.
    ///   - roomSize: bytes, a multiple of the alignment of what lies in a room.
    init(_ groups: UnsafeMutableRawPointer, roomSize: Int) {
        self.groups = groups
        self.roomSize = roomSize
    }

    /// nil when there is none yet. A room is zero-filled at first.
    func room(of place: Int) -> UnsafeMutableRawPointer? {
        let start = group(of: place).assumingMemoryBound(to: Atomic<UInt>.self).pointee.load(ordering: .acquiring)
        return UnsafeMutableRawPointer(bitPattern: start).map { room(of: place, in: $0) }
    }

    /// The same, made if there is none; nil when there is no memory.
    func makeRoom(of place: Int) -> UnsafeMutableRawPointer? {
        let slot = group(of: place).assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
        return mapped_once(slot, roomSize * PrivateRooms.together).map { room(of: place, in: $0) }
    }

    private func group(of place: Int) -> UnsafeMutableRawPointer { groups + place / PrivateRooms.together * 8 }

    private func room(of place: Int, in group: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        group + place % PrivateRooms.together * roomSize
    }
}
