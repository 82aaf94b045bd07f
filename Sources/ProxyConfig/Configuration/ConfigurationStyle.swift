/// Which of the two tools' habits a file follows. The language is the same; they differ in what is meant by
/// what a file does not say, and in what becomes of what it should not say.
public enum ConfigurationStyle: Equatable, Sendable {
    /// What proxychains would silently ignore or take for something else is an error.
    case socksify
    /// Every file that proxychains reads means the same here, so what it silently ignores is only warned of.
    case proxychains

    /// The style of the file of this path: `proxychains` when its last component is `proxychains*.conf`.
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
