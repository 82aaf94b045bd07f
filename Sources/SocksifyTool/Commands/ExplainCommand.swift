import Glibc
import ProxyConfig

/// `--explain`: where a connection or a datagram goes, and which line decides.
public enum ExplainCommand {
    /// Prints it, and gives the exit status.
    ///
    /// - Parameters:
    ///   - target: `host` or `host:port`.
    ///   - program: the name of the program whose sections count; nil for none.
    public static func run(
        _ options: ConfigurationOptions, target: String, transport: Transport, program: String?, asJSON: Bool,
        isQuiet: Bool
    ) throws(Failure) -> Int32 {
        let destination = try Destination(target)
        let loaded = try ConfigurationLoading.load(
            options, program: program.map { ProgramIdentity(executable: Array($0.utf8)) })
        if !isQuiet { say(loaded.warnings.map { "warning: \($0)" }) }
        let report = ExplanationReport(loaded, destination, transport, .ofThisMachine)
        write(Array((asJSON ? report.json : report.text).utf8), to: STDOUT_FILENO)
        return 0
    }
}

extension RefusalError {
    /// Its name in errno(3).
    var name: String {
        switch self {
        case .connectionRefused: "ECONNREFUSED"
        case .hostUnreachable: "EHOSTUNREACH"
        case .networkUnreachable: "ENETUNREACH"
        }
    }

    var code: Int32 {
        switch self {
        case .connectionRefused: ECONNREFUSED
        case .hostUnreachable: EHOSTUNREACH
        case .networkUnreachable: ENETUNREACH
        }
    }
}
