import ArgumentParser
import Glibc
import ProxyConfig
import SocksifyTool

/// The command line of the tool. Everything else is in `SocksifyTool`.
struct Socksify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "socksify",
        abstract: "Run a command with its traffic going through SOCKS or HTTP proxies.",
        usage: """
            socksify [options] [--] command [arguments]
            socksify [options] --shell | --env [SHELL] | --print-config
            socksify [options] --check [HOST:PORT] | --explain HOST[:PORT]
            """,
        discussion: """
            Through the SOCKS5 server of ssh -D 1080 somewhere, of Tor, or of a company:

              socksify -x localhost:1080 curl https://example.org/
              socksify -x socks5://alice:s3cret@gw.example:1080 ssh host.internal
              socksify -x http://gw.example:3128 git clone https://example.org/x.git
              socksify -x first:1080 -x second:1080 firefox      (a chain)
              socksify -x localhost:9050 --shell                 (all of a shell)
              socksify -x localhost:1080 --check example.org:443 (does it work?)

            A proxy is HOST:PORT or the path of a socket, for SOCKS5, or a URL: \
            socks5://, socks4:// or http://, then USER:PASSWORD@ if need be, then \
            HOST:PORT. In a password write @ as %40, : as %3A, / as %2F and % as %25.

            Everybody on the machine can see a password on a command line. Without \
            one, as in alice@gw.example, it is that of the variable SOCKSIFY_PASSWORD; \
            or have it read from a file:

              socksify -x 'socks5://alice@gw.example?password-file=/home/alice/.gw' ...

            FILES
            Without -x and -f the first of these has the proxies, and rules for what \
            goes where: SOCKSIFY_PROXY (URLs with commas between them), the file that \
            SOCKSIFY_CONF names, ~/.config/socksify/socksify.conf, \
            /etc/socksify.conf, and the files of proxychains. Two lines are enough:

              [ProxyList]
              socks5 127.0.0.1 1080

            EXIT STATUS
            That of the command. 125 if socksify itself fails, 126 if the command \
            cannot be run, or cannot be reached by preloading, 127 if it is not found. \
            --check: 0 if all proxies can be used, 1 if some cannot.
            """,
        version: "socksify \(socksifyVersion)")

    @OptionGroup(title: "Which Proxies")
    var proxies: ProxyOptions

    @OptionGroup(title: "Messages")
    var messages: MessageOptions

    @OptionGroup(title: "In Place of a Command")
    var tasks: TaskOptions

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("The command and its arguments.", valueName: "command"))
    var command: [String] = []

    /// Reads the arguments. What is captured as the command begins with the first word that is no option; where the
    /// word is not a command's, options may follow it.
    static func parse(allowingOptionsBehind arguments: [String]) throws -> Socksify {
        let socksify = try parse(arguments)
        guard socksify.tasks.takesWord, socksify.command.count > 1, socksify.command.first != "--",
            let word = socksify.command.first, !word.hasPrefix("-")
        else { return socksify }
        let options = arguments.dropLast(socksify.command.count)
        return try parse(options + socksify.command.dropFirst() + [word])
    }

    func validate() throws {
        try messages.validate(tasks)
        try tasks.validate()
        // What is captured begins with the first word that is no known option, and these are none to the
        // parser while it captures.
        switch command.first {
        case "-h", "--help": throw CleanExit.helpRequest(self)
        case "--version": throw CleanExit.message(Self.configuration.version)
        case let first? where first.hasPrefix("-") && first != "--":
            throw ValidationError("unknown option '\(first)'")
        case let first where tasks.task == nil:
            guard first != nil, command != ["--"] else {
                throw ValidationError(
                    "no command is given; expected one, as in socksify -x localhost:1080 curl https://example.org/")
            }
        case let first?:
            guard tasks.takesWord, first != "--" else {
                throw ValidationError(
                    "\(tasks.name) takes no command, but '\(command.joined(separator: " "))' is given")
            }
        case nil: break
        }
    }

    /// The one word that a task takes in place of a command.
    func word() throws -> String? {
        guard command.count <= 1 else { throw ValidationError("\(tasks.name) takes one word, not '\(command[1])'") }
        return command.first
    }
}

struct ProxyOptions: ParsableArguments {
    @Option(
        name: [.customShort("x"), .customLong("proxy")], parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A proxy; several make a chain, the nearest first.", valueName: "PROXY"))
    var proxies: [String] = []

    @Option(
        name: [.customShort("f"), .customLong("file")], parsing: .unconditional,
        help: ArgumentHelp(
            "A configuration file, in the language of proxychains and beyond.", valueName: "FILE"),
        completion: .file())
    var file: String?

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Destinations that go direct: 10.0.0.0/8, .corp.example, host:22; repeatable.", valueName: "PATTERN"))
    var direct: [String] = []

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "What to do with programs that preloading cannot reach (static ones, Go): nonet starts them without "
                + "network, block starts none, direct lets them go direct.", valueName: "nonet|block|direct"))
    var unreachable: UnreachablePolicy?

    var options: ConfigurationOptions {
        ConfigurationOptions(
            proxies: proxies.map { Array($0.utf8) }, file: file.map { Array($0.utf8) },
            direct: direct.map { Array($0.utf8) }, unreachable: unreachable)
    }
}

struct MessageOptions: ParsableArguments {
    @Flag(name: [.short, .long], help: "Print only errors of socksify itself.")
    var quiet = false

    @Flag(name: [.short, .long], help: "Print a line for each connection; twice, print everything.")
    var verbose: Int

    @Flag(help: "Write the results of --check and --explain as JSON.")
    var json = false

    func validate(_ tasks: TaskOptions) throws {
        if quiet && verbose > 0 { throw ValidationError("-q and -v exclude each other") }
        if json, tasks.task != .check, tasks.task != .explain {
            throw ValidationError("--json goes with --check and --explain")
        }
    }

    var logLevel: LogLevel? { quiet ? .off : verbose > 1 ? .debug : verbose > 0 ? .info : nil }
}

struct TaskOptions: ParsableArguments {
    /// What is done in place of running a command.
    enum Task: String, EnumerableFlag {
        case shell, env, check, explain, printConfig

        static func name(for task: Task) -> NameSpecification { .customLong(task.word) }

        var word: String { self == .printConfig ? "print-config" : rawValue }

        static func help(for task: Task) -> ArgumentHelp? {
            switch task {
            case .shell: "Run your shell; programs started in it go through the proxies."
            case .env:
                "Print variables for the shell that you are in: eval \"$(socksify --env)\", or --env fish | source."
            case .check: "Try each proxy, and a connection to HOST:PORT if that is given."
            case .explain:
                "Say where a connection to HOST:PORT goes, and which line decides; default port 443."
            case .printConfig: "Print the configuration in effect, without passwords."
            }
        }
    }

    @Flag
    var tasks: [Task] = []

    @Option(
        help: ArgumentHelp("How long each step of --check may take; default 10.", valueName: "SECONDS"))
    var timeout: Double?

    @Flag(help: "Explain a datagram in place of a connection.")
    var udp = false

    @Option(
        help: ArgumentHelp("Explain, or print, the configuration for this program.", valueName: "NAME"))
    var app: String?

    var task: Task? { tasks.first }

    func validate() throws {
        if tasks.count > 1 {
            throw ValidationError("--\(tasks[0].word) and --\(tasks[1].word) exclude each other")
        }
        if udp, task != .explain { throw ValidationError("--udp goes with --explain") }
        if app != nil, task != .explain, task != .printConfig {
            throw ValidationError("--app goes with --explain and --print-config")
        }
        guard let timeout else { return }
        guard task == .check else { throw ValidationError("--timeout goes with --check") }
        guard timeout > 0, timeout <= 86_400 else {
            throw ValidationError("--timeout is in seconds, more than 0 and up to 86400")
        }
    }

    /// Whether a word may stand in place of a command.
    var takesWord: Bool { task == .check || task == .env || task == .explain }

    var name: String { task.map { "--\($0.word)" } ?? "" }
}

extension UnreachablePolicy: ExpressibleByArgument {
    public init?(argument: String) {
        self.init(parsing: Array(argument.utf8).span)
    }

    public static var allValueStrings: [String] { allCases.map { "\($0.text)" } }
}
