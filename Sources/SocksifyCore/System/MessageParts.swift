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

    /// How many bytes they have.
    var size: Int {
        var size = 0
        for part in self { size &+= part.iov_len }
        return size
    }

    /// Whether their bytes can be read. Where not, the kernel would refuse to send them (EFAULT), and who copied them would
    /// end the process.
    var isReadable: Bool {
        for part in self where part.iov_len > 0 {
            let first = UInt(bitPattern: part.iov_base)
            let last = first &+ UInt(part.iov_len) &- 1
            guard last >= first else { return false }
            // A word of each page.
            var word = first & ~7
            while word <= last {
                guard kernel_can_read(UnsafeRawPointer(bitPattern: word)) != 0 else { return false }
                let next = (word | 4095) &+ 1
                guard next > word else { break }
                word = next
            }
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
}
