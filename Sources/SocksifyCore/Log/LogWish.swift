import ProxyConfig

/// What SOCKSIFY_LOG asks for: `LEVEL`, or `LEVEL:FILE`.
struct LogWish {
    /// nil: the configuration says it.
    var level: LogLevel?
    /// An absolute path; nil: the configuration says it.
    var file: [UInt8]?
    /// Whether the variable is not set, or says what it may.
    var isUnderstood = true

    init(_ value: [UInt8]?) {
        guard let value, !value.isEmpty else { return }
        var end = 0
        while end < value.count, value[end] != UInt8(ascii: ":") { end += 1 }
        level = LogLevel(parsing: value.span.extracting(..<end))
        if end < value.count {
            let path = value.span.extracting((end + 1)...)
            // The directory of a relative one may be another for each program of a tree.
            if !path.isEmpty, path[0] == UInt8(ascii: "/") { file = Array(path) }
            if file == nil { isUnderstood = false }
        }
        if level == nil { isUnderstood = false }
    }
}
