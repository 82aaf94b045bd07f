import Addressing

/// The source of a part of a configuration.
public enum ConfigurationSource: Equatable, Sendable {
    case file(path: [UInt8])
    /// `-x`; the number, from 1, if there are several.
    case proxyOption(number: Int?)
    /// `SOCKSIFY_PROXY`
    case proxyVariable
    /// `--direct`
    case directOption
    /// `SOCKSIFY_DIRECT`
    case directVariable

    /// Writes its name for messages.
    public func write<Sink: ByteSink>(to sink: inout Sink) {
        switch self {
        case .file(let path): sink.append(path.span)
        case .proxyOption(let number):
            sink.append("-x")
            if let number {
                sink.append(" number ")
                sink.append(decimal: number)
            }
        case .proxyVariable: sink.append("SOCKSIFY_PROXY")
        case .directOption: sink.append("--direct")
        case .directVariable: sink.append("SOCKSIFY_DIRECT")
        }
    }
}
