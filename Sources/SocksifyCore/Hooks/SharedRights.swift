import CKernel

/// What a process that gives up the rights of its user does with the memory that it shares.
public enum SharedRights {
    /// A copy of it, as a descriptor; nil when that cannot be had.
    public static func copy() -> Int32? {
        guard let runtime = Runtime.existing, var copy = SharedCopy() else { return nil }
        if runtime.pointee.table.add(to: &copy), runtime.pointee.pendingTable.add(to: &copy) { return copy.descriptor }
        _ = kernel_close(copy.descriptor)
        return nil
    }

    /// From now on the process has the copy, which nobody else has but those that fork from it.
    public static func leave(for descriptor: Int32) {
        guard let runtime = Runtime.existing else { return }
        var copy = SharedCopy(descriptor)
        runtime.pointee.table.leave(for: &copy)
        runtime.pointee.pendingTable.leave(for: &copy)
    }
}
