import CPreload

/// What children of the process need to find the same configuration.
public enum Inheritance {
    /// Reads the configuration if nobody did yet: where it was found is handed on to programs whose environment does
    /// not lead there any more.
    public static func prepare() {
        // See `Preparation`: it was read before, or cannot be.
        guard process_is_confined() == 0 else { return }
        _ = Runtime.state
    }
}
