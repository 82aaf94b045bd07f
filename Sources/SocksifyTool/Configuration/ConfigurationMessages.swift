import Addressing
import ProxyConfig

// What the assembly of a configuration found, in lines for a person.

/// The lines of mistakes; behind those of proxy URLs, which come first, how one is written.
func messagesWithExample(_ mistakes: [ConfigurationMistake]) -> [String] {
    let inURLs = mistakes.prefix(while: \.isInProxyURL)
    guard !inURLs.isEmpty else { return mistakes.flatMap(\.messages) }
    return inURLs.flatMap(\.messages)
        + ["a proxy is, for example, socks5://127.0.0.1:1080, gw.example:1080 or /run/proxy.socket"]
        + mistakes.dropFirst(inURLs.count).flatMap(\.messages)
}

extension ConfigurationMistake {
    var messages: [String] {
        switch self {
        case .noConfiguration(let searched):
            [
                "which proxy? There is no configuration. Give a proxy, as in",
                "    socksify -x socks5://127.0.0.1:1080 command",
                "or a file, with -f FILE or in one of these places:",
            ] + searched.map { "    \($0.shown)" } + [
                "with lines such as",
                "    [ProxyList]",
                "    socks5 127.0.0.1 1080",
            ]
        case .unreadableFile(let path, let failure): [failure.sentence(of: path.shown)]
        case .inText(let error, let source): [error.sentence(in: source)]
        case .unknownPolicy: ["SOCKSIFY_UNREACHABLE: expected nonet, block or direct"]
        }
    }

    fileprivate var isInProxyURL: Bool {
        switch self {
        case .inText(_, .proxyOption), .inText(_, .proxyVariable): true
        default: false
        }
    }
}

extension ConfigurationWarning {
    var sentence: String {
        switch self {
        case .inText(let error, let source): error.sentence(in: source)
        case .exposedFile(let path):
            "\(path.shown) has passwords in it, and others than its owner can read it; run chmod 600 \(path.shown)"
        }
    }
}

extension ConfigurationSource {
    /// Its name for a person.
    var shown: String {
        var name: [UInt8] = []
        write(to: &name)
        return name.shown
    }
}

extension ConfigurationError {
    /// A mistake with its place. Of options and variables the text is not shown, because there may be a password in it.
    fileprivate func sentence(in source: ConfigurationSource) -> String {
        var bytes: [UInt8] = []
        if position.line == 0, position.column > 0 {
            bytes += "\(source.shown), ".utf8
            write(to: &bytes)
        } else {
            write(to: &bytes, source: Array(source.shown.utf8).span)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension FileFailure {
    fileprivate func sentence(of path: String) -> String {
        switch self {
        case .absent(let errno), .refused(let errno): "cannot read the configuration \(path): \(describe(errno))"
        case .noRegularFile: "the configuration \(path) is not a regular file"
        case .tooLarge: "the configuration \(path) has more than \(ConfigurationLoading.largestFile) bytes"
        case .silent: "cannot read the configuration \(path): its file system does not answer"
        }
    }
}
