import Glibc
import ProxyConfig

public enum ConfigurationLoading {
    /// More than any configuration has, and little enough to be read at once.
    public static let largestFile = 4 << 20

    /// Finds, reads and checks the configuration. What the command line says goes before the environment.
    ///
    /// - Parameter program: for which sections of programs count; nil for none.
    public static func load(
        _ options: ConfigurationOptions, environment: ConfigurationSearch.Environment = .ofProcess,
        program: ProgramIdentity? = nil
    ) throws(Failure) -> LoadedConfiguration {
        var (options, environment) = (options, environment)
        options.proxies = options.proxies.map(proxyURL)
        options.file = options.file.map(fromRoot)
        environment.file = environment.file.map(fromRoot)
        environment.proxychainsFile = environment.proxychainsFile.map(fromRoot)
        let assembly = ConfigurationAssembly(environment, options, program: { program }, read: read)
        guard assembly.mistakes.isEmpty else { throw Failure(status: 125, messagesWithExample(assembly.mistakes)) }
        return LoadedConfiguration(assembly)
    }

    /// The command need not be in this directory.
    private static func fromRoot(_ path: Path) -> Path {
        path.isEmpty ? path : absolutePath(path) ?? path
    }

    static func read(_ path: Path) -> Result<FileText, FileFailure> {
        guard let file = OpenFile.open(path) else {
            let error = errno
            return .failure(OpenFile.isThere(path, error) ? .refused(errno: error) : .absent(errno: error))
        }
        guard let status = file.status, !status.isDirectory else { return .failure(.refused(errno: EISDIR)) }
        guard status.isRegularFile else { return .failure(.noRegularFile) }
        guard let text = file.contents(atMost: largestFile + 1) else { return .failure(.refused(errno: errno)) }
        guard text.count <= largestFile else { return .failure(.tooLarge) }
        return .success(FileText(text, isReadableByOthers: status.isCarelesslyReadable))
    }
}

extension ConfigurationSearch.Environment {
    /// That of this process.
    public static var ofProcess: ConfigurationSearch.Environment {
        ConfigurationSearch.Environment { environmentValue("\($0)") }
    }
}

extension stat {
    /// Whether group or others can read the file, and the caller can change that; otherwise there is no warning.
    var isCarelesslyReadable: Bool {
        st_mode & (S_IRGRP | S_IROTH) != 0 && (st_uid == geteuid() || geteuid() == 0)
    }
}
