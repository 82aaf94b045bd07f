import Glibc

// Paths are bytes: nothing says that they are UTF-8.

typealias Path = [UInt8]

extension Array where Element == UInt8 {
    /// Text for messages, with control characters escaped.
    var shown: String {
        var text = ""
        for scalar in String(decoding: self, as: UTF8.self).unicodeScalars {
            if scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value) {
                text += "?"
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// Calls `body` with the bytes as a C string.
    func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        (self + [0]).withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                guard let base = characters.baseAddress else {
                    fatalError("a buffer with a closing zero is empty")
                }
                return body(base)
            }
        }
    }
}

/// The sentence for an errno.
func describe(_ error: Int32) -> String {
    guard let text = strerror(error) else { return "error \(error)" }
    return String(cString: text)
}

/// The bytes of an environment variable; nil when it is not set.
func environmentValue(_ name: String) -> [UInt8]? {
    guard let value = getenv(name) else { return nil }
    return Array(UnsafeRawBufferPointer(start: value, count: strlen(value)))
}

/// The path from the root directory. Links stay what they are, since the name of a file has a meaning.
func absolutePath(_ path: Path) -> Path? {
    if path.first == UInt8(ascii: "/") { return path }
    guard let folder = getcwd(nil, 0) else { return nil }
    defer { free(folder) }
    return Array(UnsafeRawBufferPointer(start: folder, count: strlen(folder))) + [UInt8(ascii: "/")] + path
}

/// A file that is open for reading, closed with its last reference.
final class OpenFile {
    let descriptor: Int32

    private init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// nil, with the reason in `errno`, when it cannot be opened. Does not wait for the writer of a FIFO.
    static func open(_ path: Path) -> OpenFile? {
        let descriptor = path.withCString { Glibc.open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) }
        return descriptor >= 0 ? OpenFile(descriptor: descriptor) : nil
    }

    /// Whether a file that could not be opened is one, or may be, as the library has it.
    static func isThere(_ path: Path, _ error: Int32) -> Bool {
        switch error {
        case ENOENT:
            var target: CChar = 0
            return path.withCString { readlink($0, &target, 1) } >= 0
        case ENOTDIR, ENAMETOOLONG: return false
        case EACCES:
            let folder = path.lastIndex(of: UInt8(ascii: "/")).map { Array(path[..<$0]) }
            return (folder ?? path).withCString { access($0, F_OK) } == 0
        default: return true
        }
    }

    deinit { close(descriptor) }

    var status: stat? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? status : nil
    }

    /// The contents of the file, up to the limit in bytes; nil, with the reason in `errno`, if it cannot be read.
    func contents(atMost count: Int) -> [UInt8]? {
        var error: Int32 = 0
        let contents = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                guard let start = buffer.baseAddress else { return }
                let got = pread(descriptor, start + filled, count - filled, off_t(filled))
                if got < 0 {
                    if errno == EINTR { continue }
                    error = errno
                }
                guard got > 0 else { return }
                filled += got
            }
        }
        errno = error
        return error == 0 ? contents : nil
    }
}

extension stat {
    var isRegularFile: Bool { st_mode & S_IFMT == S_IFREG }
    var isDirectory: Bool { st_mode & S_IFMT == S_IFDIR }
}
