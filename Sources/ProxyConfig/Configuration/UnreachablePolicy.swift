/// The policy for programs that preloading cannot reach: static ones, Go programs and the like (`unreachable`).
/// Programs that would raise their rights start only with `direct`.
public enum UnreachablePolicy: Equatable, Sendable, CaseIterable {
    /// They start without network (`nonet`).
    case withoutNetwork
    /// They are not started.
    case block
    /// They go direct.
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
