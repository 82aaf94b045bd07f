import Addressing
import CKernel
import SharedTables

/// The lines of /proc/self/fdinfo that tell what an epoll watches (proc(5)).
struct RegistrationList {
    private let descriptor: Int32
    private var lines: LineReader

    /// nil for a descriptor that is not an epoll of the process.
    @inline(never)
    init?(of epoll: Int32) {
        guard epoll >= 0 else { return nil }
        var path = FixedBytes<64>()
        path.append("/proc/self/fdinfo/")
        path.append(decimal: Int(epoll))
        path.append(0)
        let opened = path.bytes.withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { $0.baseAddress.map { kernel_open_to_read($0) } ?? -1 }
        }
        guard opened >= 0 else { return nil }
        descriptor = Int32(truncatingIfNeeded: opened)
        lines = LineReader(descriptor, read: kernel_read)
    }

    func close() {
        _ = kernel_close(descriptor)
    }

    @inline(never)
    mutating func next() -> EpollRegistration? {
        while let line = lines.next() {
            if let registration = EpollRegistration(fdinfo: lines.bytes.extracting(line)) { return registration }
        }
        return nil
    }
}
