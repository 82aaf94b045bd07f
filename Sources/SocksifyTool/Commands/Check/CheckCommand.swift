import Addressing
import Glibc
import ProxyConfig

/// `--check`: what the proxies of the configuration are worth.
public enum CheckCommand {
    /// Checks, prints, and gives the exit status: 0 when all proxies can be used, 1 when some cannot.
    ///
    /// - Parameters:
    ///   - target: `host:port`.
    ///   - seconds: what each step may take.
    public static func run(
        _ options: ConfigurationOptions, target: String?, seconds: Double, asJSON: Bool, isQuiet: Bool
    ) throws(Failure) -> Int32 {
        let target = try target.map { text throws(Failure) in try endpoint(text) }
        var loaded = try ConfigurationLoading.load(options)
        try loaded.readPasswords()
        var warnings = loaded.warnings
        if isPreloaded, !options.proxies.isEmpty || options.file != nil {
            warnings.append(
                "this runs inside socksify: all other proxies are reached through those of the outer one")
        }
        if !isQuiet { say(warnings.map { "warning: \($0)" }) }
        let progress = ProgressLine()
        let check = ProxyCheck(
            target: target, timeout: seconds * 1000, resolve: resolveProxy, report: { progress.show("checking \($0)") })
        let report = CheckReport(target: target, lists: check.run(loaded.configuration))
        progress.clear()
        let text = asJSON ? report.json : "Proxies of \(loaded.origin)\n\n\(report.table)"
        write(Array(text.utf8), to: STDOUT_FILENO)
        return report.isUsable ? 0 : 1
    }

    private static func endpoint(_ text: String) throws(Failure) -> Endpoint {
        let destination = try Destination(text)
        guard let port = destination.port else {
            throw .own("'\(Array(text.utf8).shown)' has no port; expected one, as in \(text):443")
        }
        return Endpoint(host: destination.host, port: port)
    }

    /// Whether the library is in this process.
    private static var isPreloaded: Bool {
        (try? LibraryLocation.find()).map { preloads($0, in: environmentValue("LD_PRELOAD") ?? []) } ?? false
    }
}
