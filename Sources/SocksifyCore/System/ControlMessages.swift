import CPreload

/// What a message has with it besides its bytes (cmsg(3)).
struct ControlMessages {
    private let bytes: UnsafeRawBufferPointer

    init(of message: UnsafePointer<msghdr>) {
        let start = message.pointee.msg_control
        bytes = UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : max(message.pointee.msg_controllen, 0))
    }

    /// Whether there is one of that kind.
    func contains(level: Int32, type: Int32) -> Bool {
        let headerLength = MemoryLayout<cmsghdr>.size
        var offset = 0
        while bytes.count - offset >= headerLength {
            let header = bytes.loadUnaligned(fromByteOffset: offset, as: cmsghdr.self)
            if header.cmsg_level == level, header.cmsg_type == type { return true }
            // Of a wrong one the kernel speaks.
            guard header.cmsg_len >= headerLength, header.cmsg_len <= bytes.count - offset else { return false }
            // CMSG_ALIGN
            offset += (header.cmsg_len + 7) & ~7
        }
        return false
    }
}
