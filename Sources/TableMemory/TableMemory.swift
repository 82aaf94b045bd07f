/// Memory for a table: zero-filled before the first use, and reached (`reach`) before it is touched.
///
/// Shared memory is mapped on demand and populated page by page, and may run out: touching a missing page would kill
/// the process. A table treats unreachable memory as empty and full.
public protocol TableMemory {
    /// The start of the memory, aligned to 64 bytes. Its first 64 bytes have been reached.
    var base: UnsafeMutableRawPointer { get }

    /// The address of these contiguous bytes, which may be touched from now on; nil without memory. Another call may
    /// give another address for the same bytes.
    ///
    /// - Parameter offset: in bytes from the beginning.
    func reach(offset: Int, size: Int) -> UnsafeMutableRawPointer?
}
