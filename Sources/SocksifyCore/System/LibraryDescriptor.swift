import Addressing
import CPreload

/// Makes the library's own descriptors: high numbers, which programs rarely use, closed on exec.
enum LibraryDescriptor {
    /// The lowest number; with a low limit of descriptors, three quarters of that.
    private static var least: Int { 4096 }
    private static var leastPossible: Int32 {
        Int32(min(least, Int(kernel_descriptor_limit()) / 4 * 3))
    }

    /// A non-blocking stream socket; or a negative error number.
    static func makeStream(_ domain: Int32) -> Int32 {
        keep(Socket.make(domain, Int32(SOCK_NONBLOCK.rawValue)))
    }

    /// A non-blocking datagram socket; or a negative error number.
    static func makeDatagrams(_ domain: Int32) -> Int32 { keep(Socket.makeDatagrams(domain)) }

    private static func keep(_ made: Int32) -> Int32 {
        guard made >= 0 else { return made }
        if let high = duplicate(made) {
            _ = kernel_close(made)
            return high
        }
        return mark(made) ? made : -ENOMEM
    }

    /// Duplicates a descriptor of the program; nil on failure, and in a process that has confined itself, whose filter
    /// may forbid the system call.
    static func duplicate(_ descriptor: Int32) -> Int32? {
        guard process_is_confined() == 0 else { return nil }
        let high = Int32(truncatingIfNeeded: kernel_duplicate(descriptor, leastPossible))
        return high >= 0 && mark(high) ? high : nil
    }

    /// Marks the descriptor as the library's. Without memory for the mark it is closed, so that no unmarked one
    /// remains.
    private static func mark(_ descriptor: Int32) -> Bool {
        if descriptor_set_mark(descriptor, UInt32(DESCRIPTOR_OWN)) != 0 { return true }
        _ = kernel_close(descriptor)
        return false
    }

    /// Whether the descriptor was made here.
    static func isOwn(_ descriptor: Int32) -> Bool { descriptor_mark(descriptor) & UInt32(DESCRIPTOR_OWN) != 0 }

    /// Closes a descriptor that was made here. A damaged record cannot make it close one of the program's.
    @inline(never)
    static func close(_ descriptor: Int32) {
        guard isOwn(descriptor) else { return }
        descriptor_clear_marks(descriptor, UInt32(DESCRIPTOR_OWN), descriptor_mark(descriptor))
        _ = kernel_close(descriptor)
    }
}
