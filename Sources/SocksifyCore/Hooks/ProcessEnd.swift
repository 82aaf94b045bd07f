import CKernel

/// The end of the process.
public enum ProcessEnd {
    /// Removes what nobody will need.
    public static func clean() {
        SharedTableFile.end(isUser: Runtime.existing != nil) {
            guard let copy = SharedRights.copy() else { return }
            SharedRights.leave(for: copy)
            _ = kernel_close(copy)
        }
    }
}
