import Addressing
import CPreload

/// Descriptors of the library's own: high numbers, which programs hardly use, closed on exec.
enum OwnDescriptor {
    /// From here on, or from three quarters of what the process may have.
    private static var least: Int { 4096 }
    private static var leastPossible: Int32 {
        Int32(min(least, Int(kernel_descriptor_limit()) / 4 * 3))
    }

    /// A stream that does not wait; a negative error number when there is none.
    static func makeStream(_ domain: Int32) -> Int32 {
        keep(Socket.make(domain, Int32(SOCK_NONBLOCK.rawValue)))
    }

    /// The same for datagrams.
    static func makeDatagrams(_ domain: Int32) -> Int32 { keep(Socket.makeDatagrams(domain)) }

    private static func keep(_ made: Int32) -> Int32 {
        guard made >= 0 else { return made }
        if let high = duplicate(made) {
            _ = kernel_close(made)
            return high
        }
        return mark(made) ? made : -ENOMEM
    }

    /// A second descriptor for what one of the program's stands for; nil when there is none, and in a process under a
    /// filter of its own: the number is not worth a system call that the program may not make.
    static func duplicate(_ descriptor: Int32) -> Int32? {
        guard process_is_confined() == 0 else { return nil }
        let high = Int32(truncatingIfNeeded: kernel_duplicate(descriptor, leastPossible))
        return high >= 0 && mark(high) ? high : nil
    }

    /// Without its mark nobody would know whose it is: where there is no memory for it, the descriptor is closed.
    private static func mark(_ descriptor: Int32) -> Bool {
        if descriptor_set_mark(descriptor, UInt32(DESCRIPTOR_OWN)) != 0 { return true }
        _ = kernel_close(descriptor)
        return false
    }

    /// Whether it is one that was made here.
    static func isOwn(_ descriptor: Int32) -> Bool { descriptor_mark(descriptor) & UInt32(DESCRIPTOR_OWN) != 0 }

    /// Closes one that was made here; none of the program's, whatever a record says.
    @inline(never)
    static func close(_ descriptor: Int32) {
        guard isOwn(descriptor) else { return }
        descriptor_clear_marks(descriptor, UInt32(DESCRIPTOR_OWN), descriptor_mark(descriptor))
        _ = kernel_close(descriptor)
    }
}
