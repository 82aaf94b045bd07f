import Glibc

/// Writes lines on standard error, after the name of the tool.
public func say(_ lines: [String]) {
    for line in lines { write(Array("socksify: \(line)\n".utf8), to: STDERR_FILENO) }
}

/// Writes all of the bytes to a descriptor; what cannot be written is lost.
public func write(_ bytes: [UInt8], to descriptor: Int32) {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { return }
        rest = rest.dropFirst(count)
    }
}
