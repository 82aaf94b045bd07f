import Addressing

/// The positions of the parts that decide about connections: lines of a file, or options.
public struct DecisionPlaces {
    private let positions: SourcePositions
    private let file: [UInt8]
    private let proxySource: ConfigurationSource?
    private let directRuleCount: Int

    init(_ assembly: ConfigurationAssembly) {
        positions = assembly.parsed.positions
        file = assembly.file?.path ?? []
        proxySource = assembly.proxySource
        directRuleCount = assembly.directRuleCount
    }

    /// Writes `prefix` and the position of the reason; writes nothing for a default.
    public func write(placeOf reason: Reason, behind prefix: StaticString = "", to sink: inout some ByteSink) {
        if case .rule(let index) = reason, index < directRuleCount {
            sink.append(prefix)
            sink.append("--direct or SOCKSIFY_DIRECT")
        } else if let position = positions.position(of: reason) {
            sink.append(prefix)
            write(position, to: &sink)
        }
    }

    /// Writes a position in the file, or for line 0 the source of the default chain.
    public func write(_ position: SourcePosition, to sink: inout some ByteSink) {
        guard position.line > 0 else {
            if let proxySource { proxySource.write(to: &sink) } else { sink.append(file.span) }
            return
        }
        sink.append(file.span)
        sink.append(":")
        sink.append(decimal: position.line)
        sink.append(":")
        sink.append(decimal: position.column)
    }
}
