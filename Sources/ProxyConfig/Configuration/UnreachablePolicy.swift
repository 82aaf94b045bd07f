/// What happens to programs that preloading cannot reach: static ones, those that are written in Go, and the like
/// (`unreachable`). Those that would raise their rights are started by `direct` alone.
public enum UnreachablePolicy: Equatable, Sendable, CaseIterable {
    /// They are started, and can use everything but the network (`nonet`).
    case withoutNetwork
    /// They are not started.
    case block
    /// They go around the proxy.
    case direct

    /// The word of the configuration file, of `SOCKSIFY_UNREACHABLE` and of the command line.
    public var text: StaticString {
        switch self {
        case .withoutNetwork: "nonet"
        case .block: "block"
        case .direct: "direct"
        }
    }

    public init?(parsing word: Span<UInt8>) {
        let text = SourceText(word)
        for policy in UnreachablePolicy.allCases where text.equals(text.whole, policy.text) {
            self = policy
            return
        }
        return nil
    }
}
