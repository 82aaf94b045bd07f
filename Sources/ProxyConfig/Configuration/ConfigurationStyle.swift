/// Which tool's conventions a file follows. The language is the same; defaults and the treatment of mistakes differ.
public enum ConfigurationStyle: Equatable, Sendable {
    /// Mistakes that proxychains ignores or misreads are errors.
    case socksify
    /// Every file of proxychains means the same here; mistakes that proxychains ignores are warnings.
    case proxychains

    /// The style of the file at a path: `proxychains` if the last component is `proxychains*.conf`.
    public init(fileName path: Span<UInt8>) {
        var start = 0
        for index in path.indices where path[index] == UInt8(ascii: "/") { start = index + 1 }
        let prefix: StaticString = "proxychains"
        let suffix: StaticString = ".conf"
        let length = path.count - start
        guard length >= prefix.utf8CodeUnitCount + suffix.utf8CodeUnitCount else {
            self = .socksify
            return
        }
        self = .proxychains
        for offset in 0..<prefix.utf8CodeUnitCount where path[start + offset] != prefix.utf8Start[offset] {
            self = .socksify
        }
        let end = path.count - suffix.utf8CodeUnitCount
        for offset in 0..<suffix.utf8CodeUnitCount where path[end + offset] != suffix.utf8Start[offset] {
            self = .socksify
        }
    }
}
