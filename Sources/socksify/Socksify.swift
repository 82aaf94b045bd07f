import ArgumentParser
import Glibc
import ProxyConfig
import SocksifyTool

/// The command line of the tool. Everything else is in `SocksifyTool`.
struct Socksify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "socksify",
        abstract: "Run a command whose TCP connections go through a SOCKS5 proxy.",
        usage: "socksify [-x URL]... [-f FILE] [-q | -v] [--] command [args...]",
        discussion: """
            Without -x and -f, the proxies are those of SOCKSIFY_PROXY, or else of the first of these files: \
            the one that SOCKSIFY_CONF names, ~/.config/socksify/socksify.conf, /etc/socksify.conf, and the \
            files of proxychains.

            The exit status is that of the command; 125 if socksify itself fails, 126 if the command cannot be \
            run or cannot be reached by preloading, 127 if it is not found.
            """,
        version: "socksify \(socksifyVersion)")

    @Option(
        name: [.customShort("x"), .customLong("proxy")], parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "A proxy, as in socks5://user:password@host:1080. Several make a chain, the nearest first.",
            valueName: "URL"))
    var proxies: [String] = []

    @Option(
        name: [.customShort("f"), .customLong("file")], parsing: .unconditional,
        help: ArgumentHelp("A configuration file, in the language of proxychains.", valueName: "FILE"))
    var file: String?

    @Flag(name: [.short, .long], help: "Say nothing but what must be known.")
    var quiet = false

    @Flag(name: [.short, .long], help: "Say what is done; twice, say everything.")
    var verbose: Int

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("The command and its arguments.", valueName: "command"))
    var command: [String] = []

    func validate() throws {
        if quiet && verbose > 0 { throw ValidationError("-q and -v exclude each other") }
        guard let first = command.first, command != ["--"] else {
            throw ValidationError("no command is given")
        }
        // What is captured begins with the first word that is no known option, and these are none to the
        // parser while it captures.
        switch first {
        case "--": return
        case "-h", "--help": throw CleanExit.helpRequest(self)
        case "--version": throw CleanExit.message(Self.configuration.version)
        default:
            if first.hasPrefix("-") { throw ValidationError("unknown option '\(first)'") }
        }
    }

    var launch: Launch {
        Launch(
            urls: proxies.map { Array($0.utf8) }, file: file.map { Array($0.utf8) },
            logLevel: quiet ? .off : verbose > 1 ? .debug : verbose > 0 ? .info : nil)
    }
}

@main enum Main {
    static func main() {
        do {
            let socksify = try Socksify.parse()
            // What follows the options are the last of the arguments. They are handed on as the bytes that
            // they are, which need not be text.
            let count = socksify.command.first == "--" ? socksify.command.count - 1 : socksify.command.count
            try socksify.launch.run(CommandLine.unsafeArgv + (Int(CommandLine.argc) - count))
        } catch let failure as Failure {
            say(failure.messages)
            exit(failure.status)
        } catch {
            if Socksify.exitCode(for: error) == .success { Socksify.exit(withError: error) }
            say([Socksify.message(for: error), "see socksify --help"])
            exit(125)
        }
    }
}
