import Addressing
import CLibC
import ProxyConfig

/// Finds and reads the configuration of the process: the environment that the process began with, and files.
enum ConfigurationSource {
    /// Files beyond this are refused: a configuration is written by people.
    private static var largestFile: Int { 4 << 20 }

    /// The configuration; nil, after a line on standard error, when there is none or it has a mistake: then no
    /// connection is made at all.
    static func load() -> Configuration? {
        let wish = LogWish(variable("SOCKSIFY_LOG"))
        if let path = wish.file { Log.useFile(path) }
        let search = ConfigurationSearch(environment())
        let urls = search.proxies.map { Configuration.parse(proxyURLs: $0.span) }
        if let urls, !accept(urls, source: Array("SOCKSIFY_PROXY")) { return nil }
        guard var parsed = readFile(search) ?? urls else { return nil }
        if let urls { parsed.replaceProxies(with: urls) }
        var configuration = parsed.configuration
        if let obstacle = parsed.obstacles.first {
            complain { obstacle.writeMessage(to: &$0) }
            return nil
        }
        if let level = wish.level { configuration.logLevel = level }
        if wish.file == nil, let path = configuration.logFile { Log.useFile(path) }
        if !wish.isUnderstood {
            Log.write(.error, configuration) {
                $0.append(
                    "SOCKSIFY_LOG: expected off, error, warn, info or debug, and perhaps ':' and an absolute path")
            }
        }
        return configuration
    }

    private static func environment() -> ConfigurationSearch.Environment {
        ConfigurationSearch.Environment(
            proxies: variable("SOCKSIFY_PROXY"), file: variable("SOCKSIFY_CONF"),
            configurationHome: variable("XDG_CONFIG_HOME"), home: variable("HOME"),
            proxychainsFile: variable("PROXYCHAINS_CONF_FILE"))
    }

    private static func variable(_ name: StaticString) -> [UInt8]? {
        guard let value = socksify_captured_variable(cString(name)) else { return nil }
        return Array(bytes(of: value))
    }

    /// Says why no connection is made, for all processes of a tree once: a shell would have it said by every command.
    private static func complain(_ compose: (inout LogLine) -> Void) {
        var message = LogLine()
        compose(&message)
        message.append("; no connection will be made")
        guard SharedTable.isNews(message.digest) else { return }
        Log.write { $0.append(message.text) }
    }

    /// The file that decides; nil when none is there, or when it cannot be used, which a line then says.
    private static func readFile(_ search: ConfigurationSearch) -> ParsedConfiguration? {
        for candidate in search.candidates {
            guard let text = contents(of: candidate.path) else {
                guard candidate.isRequired else { continue }
                complain {
                    $0.append(candidate.path.span)
                    $0.append(": this configuration file cannot be read")
                }
                return nil
            }
            let parsed = Configuration.parse(text.span, style: candidate.style)
            guard accept(parsed, source: candidate.path) else { return nil }
            handOn(candidate.path)
            return parsed
        }
        if search.proxies == nil {
            complain {
                $0.append("no proxy is configured; set SOCKSIFY_PROXY=socks5://HOST:PORT or write /etc/socksify.conf")
            }
        }
        return nil
    }

    /// Whether the text has no mistake; the first one is told, the command line tool tells all.
    private static func accept(_ parsed: ParsedConfiguration, source: [UInt8]) -> Bool {
        guard let error = parsed.errors.first else { return true }
        complain { error.write(to: &$0, source: source.span) }
        return false
    }

    private static func handOn(_ path: [UInt8]) {
        guard socksify_captured_variable(cString("SOCKSIFY_CONF")) == nil else { return }
        let terminated = path + [0]
        terminated.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            socksify_hand_on_configuration_file(UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self))
        }
    }

    private static func contents(of path: [UInt8]) -> [UInt8]? {
        let terminated = path + [0]
        let descriptor = terminated.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { kernel_open_to_read(UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self)) }
                ?? -1
        }
        guard descriptor >= 0 else { return nil }
        let file = Int32(truncatingIfNeeded: descriptor)
        defer { _ = kernel_close(file) }
        var text: [UInt8] = []
        var chunk = InlineArray<4096, UInt8>(repeating: 0)
        while text.count <= largestFile {
            let count = kernel_read(file, &chunk, 4096)
            if count == -Int(EINTR) { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return text }
            for index in 0..<min(count, 4096) { text.append(chunk[index]) }
        }
        return nil
    }
}

extension Array where Element == UInt8 {
    init(_ bytes: Span<UInt8>) {
        self = []
        reserveCapacity(bytes.count)
        for index in bytes.indices { append(bytes[index]) }
    }

    init(_ text: StaticString) {
        self = []
        append(text)
    }
}
