/// Turns the messages of a handshake into the segments that a script wants sent, up to the script's fault.
struct OutputShaper {
    /// What follows the segments.
    enum End: Equatable {
        /// The next message.
        case more
        case close
        case hang
    }

    private let fault: Script.Fault?
    private let splits: Bool
    /// Bytes of the handshake so far.
    private var offset = 0
    private var isExhausted = false

    init(script: Script) {
        fault = script.fault
        splits = script.byteInterval != nil
    }

    mutating func shape(_ message: [UInt8]) -> (segments: [[UInt8]], end: End) {
        guard !isExhausted else { return ([], .hang) }
        var bytes = message
        var end = End.more
        defer { offset += message.count }
        if let fault, fault.offset < offset + message.count {
            let sound = max(0, fault.offset - offset)
            switch fault.kind {
            case .close: (bytes, end) = (Array(message.prefix(sound)), .close)
            case .hang: (bytes, end) = (Array(message.prefix(sound)), .hang)
            case .complement: bytes = message.prefix(sound) + message.dropFirst(sound).map { ~$0 }
            case .garbage(let garbage): (bytes, end) = (message.prefix(sound) + garbage, .hang)
            }
            isExhausted = end != .more
        }
        if splits { return (bytes.map { [$0] }, end) }
        return (bytes.isEmpty ? [] : [bytes], end)
    }
}
