import CPreload

/// The parts that the bytes of a message lie in (sendmsg(2), msg_iov).
struct MessageParts: Sequence, IteratorProtocol {
    private let start: UnsafePointer<iovec>?
    private let count: Int
    private var index = 0

    init(of message: UnsafePointer<msghdr>) {
        self.init(message.pointee.msg_iov, count: message.pointee.msg_iovlen)
    }

    init(_ start: UnsafePointer<iovec>?, count: Int) {
        self.start = start
        self.count = count
    }

    mutating func next() -> iovec? {
        guard let start, index < count else { return nil }
        defer { index += 1 }
        return start[index]
    }

    /// What the kernel says before it sends them: of more than it takes, of a list that nobody can read, of lengths below
    /// 0, and of more bytes than a datagram has (sendmsg(2)). One more part has to fit in. All else is to be asked of
    /// parts without fault.
    var fault: Errno? {
        guard count != 0 else { return nil }
        guard count > 0, count <= SOCKSIFY_MOST_PARTS else { return Errno(EMSGSIZE) }
        guard UInt(bitPattern: start) >= 4096 else { return Errno(EFAULT) }
        var size = 0
        for part in self {
            guard part.iov_len >= 0 else { return .invalidArgument }
            // As much of a part as the kernel takes in one call is enough to know of it.
            size += Swift.min(part.iov_len, Int(Int32.max))
        }
        return size <= SOCKSIFY_LONGEST_DATAGRAM ? nil : Errno(EMSGSIZE)
    }

    /// How many bytes they have.
    var size: Int {
        var size = 0
        for part in self { size &+= part.iov_len }
        return size
    }

    /// Whether their bytes can be read. Where not, the kernel would refuse to send them (EFAULT), and who copied them would
    /// end the process.
    var isReadable: Bool {
        for part in self
        where !MessageParts.isReadable(UnsafeRawBufferPointer(start: part.iov_base, count: part.iov_len)) {
            return false
        }
        return true
    }

    /// The same of the bytes of one part.
    static func isReadable(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count > 0 else { return true }
        let first = UInt(bitPattern: bytes.baseAddress)
        let last = first &+ UInt(bytes.count) &- 1
        guard last >= first else { return false }
        // A word of each page.
        var word = first & ~7
        while word <= last {
            guard kernel_can_read(UnsafeRawPointer(bitPattern: word)) != 0 else { return false }
            let next = (word | 4095) &+ 1
            guard next > word else { break }
            word = next
        }
        return true
    }

    /// Copies as much as there is room for; returns how much that is.
    @discardableResult
    func copy(to room: UnsafeMutableRawBufferPointer) -> Int {
        var copied = 0
        for part in self {
            let count = Swift.min(part.iov_len, room.count - copied)
            if count > 0, let start = part.iov_base {
                UnsafeMutableRawBufferPointer(rebasing: room[copied..<copied + count])
                    .copyMemory(from: UnsafeRawBufferPointer(start: start, count: count))
                copied += count
            }
        }
        return copied
    }

    /// The same, behind a header, for both of which there is room.
    func copy(to room: UnsafeMutableRawBufferPointer, behind header: UnsafeRawBufferPointer) {
        room.copyMemory(from: header)
        copy(to: UnsafeMutableRawBufferPointer(rebasing: room[header.count...]))
    }
}
