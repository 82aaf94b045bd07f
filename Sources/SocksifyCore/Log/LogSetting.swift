import ProxyConfig

/// The value of SOCKSIFY_LOG: `LEVEL`, or `LEVEL:FILE`.
struct LogSetting {
    /// nil: the configuration decides.
    var level: LogLevel?
    /// An absolute path; nil: the configuration decides.
    var file: [UInt8]?
    /// True if the variable is unset or valid.
    var isUnderstood = true

    init(_ value: [UInt8]?) {
        guard let value, !value.isEmpty else { return }
        var end = 0
        while end < value.count, value[end] != UInt8(ascii: ":") { end += 1 }
        level = LogLevel(parsing: value.span.extracting(..<end))
        if end < value.count {
            let path = value.span.extracting((end + 1)...)
            // A relative path would mean a different file for each program of a process tree.
            if !path.isEmpty, path[0] == UInt8(ascii: "/") { file = Array(path) }
            if file == nil { isUnderstood = false }
        }
        if level == nil { isUnderstood = false }
    }
}
