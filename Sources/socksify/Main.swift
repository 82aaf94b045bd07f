import ArgumentParser
import Glibc
import ProxyConfig
import SocksifyTool

@main enum Main {
    static func main() {
        do {
            let socksify = try Socksify.parse(allowingOptionsBehind: Array(CommandLine.arguments.dropFirst()))
            try exit(run(socksify))
        } catch let failure as Failure {
            say(failure.messages)
            exit(failure.status)
        } catch {
            if Socksify.exitCode(for: error) == .success { Socksify.exit(withError: error) }
            say([Socksify.message(for: error), "see socksify --help"])
            exit(125)
        }
    }

    /// Does what was asked for, and gives the exit status, unless the command has taken the place of this program.
    private static func run(_ socksify: Socksify) throws -> Int32 {
        let options = socksify.proxies.options
        let logLevel = socksify.messages.logLevel
        switch socksify.tasks.task {
        case nil:
            // What follows the options are the last of the arguments. They are handed on as the bytes that
            // they are, which need not be text.
            let count = socksify.command.first == "--" ? socksify.command.count - 1 : socksify.command.count
            try Launch.run(
                CommandLine.unsafeArgv + (Int(CommandLine.argc) - count), options, logLevel: logLevel)
        case .shell:
            try Launch.runShell(options, logLevel: logLevel)
        case .env:
            return try EnvironmentCommand.run(options, language: socksify.word(), logLevel: logLevel)
        case .check:
            return try CheckCommand.run(
                options, target: socksify.word(), seconds: socksify.tasks.timeout ?? 10,
                asJSON: socksify.messages.json, isQuiet: logLevel == .off)
        case .explain:
            guard let target = try socksify.word() else {
                throw ValidationError("--explain what? Expected a host, as in --explain example.org:443")
            }
            return try ExplainCommand.run(
                options, target: target, transport: socksify.tasks.udp ? .udp : .tcp, program: socksify.tasks.app,
                asJSON: socksify.messages.json, isQuiet: logLevel == .off)
        case .printConfig:
            return try PrintCommand.run(options, program: socksify.tasks.app, isQuiet: logLevel == .off)
        }
    }
}
