import Addressing
import CPreload
import ProxyConfig
import Synchronization

/// Log lines for the user, on standard error or in a file. Each is written by one system call from a fixed buffer, so
/// that it works in a signal handler.
enum Log {
    /// Writes a line if the configured level includes `level`.
    static func write(_ level: LogLevel, _ configuration: Configuration, _ compose: (inout LogLine) -> Void) {
        guard level.rawValue <= configuration.logLevel.rawValue, let leftOut = begin(level) else { return }
        var message = LogLine()
        compose(&message)
        write(message, leftOut: leftOut)
    }

    /// The number of omitted lines before this one; nil if this one is to be omitted.
    @inline(never)
    private static func begin(_ level: LogLevel) -> Int? {
        // At higher levels the user wants every line.
        level.rawValue <= LogLevel.warning.rawValue ? LogRateLimit.take() : 0
    }

    /// Writes a line once in a process.
    static func writeOnce(
        _ notice: Notice, _ level: LogLevel, _ configuration: Configuration, _ compose: (inout LogLine) -> Void
    ) {
        guard level.rawValue <= configuration.logLevel.rawValue, isFirst(notice) else { return }
        write(level, configuration, compose)
    }

    /// Writes a line once in a process, while there is no configuration.
    static func writeOnce(_ notice: Notice, _ compose: (inout LogLine) -> Void) {
        if isFirst(notice) { write(compose) }
    }

    /// Writes a line while there is no configuration that could switch it off.
    static func write(_ compose: (inout LogLine) -> Void) {
        var message = LogLine()
        compose(&message)
        write(message, leftOut: 0)
    }

    /// The lines that are logged once in a process.
    enum Notice: UInt64 {
        case logFile, noMemory
        case rawSocket, packetSocket, icmpSocket, sctpSocket, dccpSocket, udpLiteSocket, mptcpSocket
        case otherProtocol, otherFamily
    }

    private static func isFirst(_ notice: Notice) -> Bool {
        let bit: UInt64 = 1 << notice.rawValue
        return atomic(process_told_word()).pointee.bitwiseOr(bit, ordering: .relaxed).oldValue & bit == 0
    }

    // MARK: Where lines go

    /// Appends further lines to the file at this path; without memory for the path, to standard error.
    static func useFile(_ path: [UInt8]) {
        // A mapping of its own: the path must outlive a runtime that is not completed.
        if isFile(path) { return }
        // The former path stays mapped: another thread may be writing a line to it.
        guard let copy = Mapping(path.count + 1)?.start else { return }
        for index in path.indices { copy.storeBytes(of: path[index], toByteOffset: index, as: UInt8.self) }
        atomic(process_log_file_word()).pointee.store(UInt64(UInt(bitPattern: copy)), ordering: .releasing)
    }

    /// Whether lines already go to this file.
    private static func isFile(_ path: [UInt8]) -> Bool {
        guard let file else { return false }
        let known = bytes(of: file)
        guard known.count == path.count else { return false }
        for index in path.indices where known[index] != path[index] { return false }
        return true
    }

    private static var file: UnsafePointer<CChar>? {
        let word = atomic(process_log_file_word()).pointee.load(ordering: .acquiring)
        return UnsafePointer(bitPattern: UInt(truncatingIfNeeded: word))
    }

    // These take complete messages: with closures the compiler would copy the code for each message.

    private static func write(_ message: LogLine, leftOut: Int) {
        guard let file else { return writeToStandardError(message, leftOut: leftOut) }
        let descriptor = Int32(truncatingIfNeeded: kernel_open_to_append(file))
        guard descriptor >= 0 else {
            guard isFirst(.logFile) else { return }
            var reason = LogLine()
            reason.append(bytes(of: file))
            reason.append(": lines cannot be added to this file: ")
            Errno(-descriptor).write(to: &reason)
            writeToStandardError(reason, leftOut: 0)
            return writeToStandardError(message, leftOut: leftOut)
        }
        defer { _ = kernel_close(descriptor) }
        var line = LogLine()
        line.append("socksify: ")
        UTCTime(seconds: kernel_time()).write(to: &line)
        line.append(" ")
        writeProgram(to: &line)
        line.append(": ")
        line.end(with: message, leftOut: leftOut)
        write(line, to: descriptor)
    }

    private static func writeToStandardError(_ message: LogLine, leftOut: Int) {
        guard standard_error_is_for_people() != 0 else { return }
        var line = LogLine()
        line.append("socksify: ")
        line.end(with: message, leftOut: leftOut)
        write(line, to: 2)
    }

    private static func write(_ line: LogLine, to descriptor: Int32) {
        line.text.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            _ = interruptible_write_unasked(descriptor, start, buffer.count)
        }
    }

    /// Writes `name[number]`.
    private static func writeProgram(to line: inout LogLine) {
        if let path = process_program_path() {
            let path = bytes(of: path)
            var start = path.count
            while start > 0, path[start - 1] != UInt8(ascii: "/") { start -= 1 }
            line.append(path.extracting(start...))
        }
        line.append("[")
        line.append(decimal: kernel_process_id())
        line.append("]")
    }
}
