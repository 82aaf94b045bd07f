import CLibC

/// Descriptors that end.
public enum Descriptors {
    /// The descriptor is about to be closed, or replaced: nobody may go on with a handshake by its number. What else is
    /// known of it is forgotten.
    public static func end(_ descriptor: Int32) {
        // A child of vfork closes its own descriptors, but has its parent's memory.
        guard process_is_own() != 0 else { return }
        let marks = descriptor_mark(descriptor)
        if may_be_in_flight(descriptor) != 0, let runtime = Runtime.existing,
            case .entered(var flight) = HandshakeInFlight.of(descriptor, runtime)
        {
            if !flight.mayHaveOthers { flight.remove() }
            flight.leave()
        }
        watched_forget_all(descriptor)
        descriptor_clear_marks(descriptor, UInt8(DESCRIPTOR_MARKS), marks)
    }
}
