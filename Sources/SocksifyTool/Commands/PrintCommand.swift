import Glibc
import ProxyConfig

/// `--print-config`: the configuration in effect.
public enum PrintCommand {
    /// Prints it in the language of files, without passwords, and gives the exit status.
    ///
    /// - Parameter program: the name of the program whose sections count; nil for none.
    public static func run(
        _ options: ConfigurationOptions, program: String?, isQuiet: Bool
    ) throws(Failure) -> Int32 {
        let loaded = try ConfigurationLoading.load(
            options, program: program.map { ProgramIdentity(executable: Array($0.utf8)) })
        if !isQuiet { say(loaded.warnings.map { "warning: \($0)" }) }
        write(loaded.text, to: STDOUT_FILENO)
        return 0
    }
}

extension LoadedConfiguration {
    /// The file that would mean the same, but for its passwords, with comments that say where each line comes from.
    public var text: [UInt8] {
        var text: [UInt8] = []
        if let proxySource { text += "# The default chain comes from \(proxySource).\n".utf8 }
        if let file {
            text += "# \(proxySource == nil ? "Everything" : "Everything else") comes from \(file.path.shown).\n".utf8
        }
        if directRuleCount > 0 {
            let rules = directRuleCount == 1 ? "first rule comes" : "first \(directRuleCount) rules come"
            text += "# The \(rules) from --direct and SOCKSIFY_DIRECT.\n".utf8
        }
        if parsed.namesPrograms { text += "# [App] sections change it for some programs: see --app.\n".utf8 }
        text += "# Everything else has its default.\n".utf8
        ConfigurationText(parsed, source: file.map { Array($0.path.shown.utf8) }).write(to: &text)
        return text
    }
}
