import CPrograms
import Glibc
import ProxyConfig

/// The program to run, found and examined before it runs.
///
/// The dynamic linker loads the library only into dynamic programs for this machine and this libc, and not in secure
/// execution mode (AT_SECURE, see getauxval(3)). Other programs would go direct, so they are refused unless the user
/// has set a policy.
public enum Target {
    /// The path of the program, searched like execvp(3).
    public static func find(_ name: [UInt8], searchPath: [UInt8]?) throws(Failure) -> [UInt8] {
        guard !name.isEmpty else { throw .notFound("the name of the command is empty") }
        if name.contains(UInt8(ascii: "/")) {
            if let error = obstacle(to: name) { throw failure(name, error) }
            return name
        }
        let folders = (searchPath ?? Array("/bin:/usr/bin".utf8)).split(
            separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var forbidden = false
        for folder in folders {
            // An empty entry means the current directory.
            let path = (folder.isEmpty ? Array(".".utf8) : Array(folder)) + [UInt8(ascii: "/")] + name
            switch obstacle(to: path) {
            case nil: return path
            case EACCES?: forbidden = true
            default: break
            }
        }
        throw failure(name, forbidden ? EACCES : ENOENT)
    }

    /// The errno with which execve(2) would fail for a file that is missing or not meant to be run.
    private static func obstacle(to path: Path) -> Int32? {
        var status = stat()
        guard path.withCString({ stat($0, &status) }) == 0 else { return errno }
        guard status.isRegularFile else { return EACCES }
        return path.withCString({ access($0, X_OK) }) == 0 ? nil : errno
    }

    static func failure(_ name: Path, _ error: Int32) -> Failure {
        let message = "\(name.shown): \(describe(error))"
        return error == ENOENT || error == ENOTDIR ? .notFound(message) : .cannotExecute(message)
    }

    /// How a program is started.
    public struct Start {
        /// Whether it starts without network, except through the library in its descendants.
        public var isWithoutNetwork = false
        /// Whether the library is certainly not loaded into it.
        public var isCertain = true
        /// A line for the user, with its level.
        public var notice: (level: LogLevel, text: String)?
    }

    /// Judges the program at `path`. Throws if preloading would not reach it, and nothing else is to be done about
    /// that.
    ///
    /// - Parameter policy: the user's policy for such programs; nil for none.
    public static func start(of path: [UInt8], _ policy: UnreachablePolicy?) throws(Failure) -> Start {
        var program = program()
        guard path.withCString({ program_look(AT_FDCWD, $0, 0, &program) }) == 0,
            let reason = program_reason(program.reach).map({ String(cString: $0) }),
            let advice = program_advice(program.reach).map({ String(cString: $0) })
        else { return Start() }
        let interpreter = withUnsafeBytes(of: program.interpreter) { Array($0.prefix { $0 != 0 }) }
        let subject = interpreter.isEmpty ? path.shown : "\(path.shown): its interpreter \(interpreter.shown)"
        switch policy {
        case .direct:
            return Start(notice: (.warning, "\(subject) \(reason); it goes direct"))
        case nil where program.reach == PROGRAM_UNREADABLE:
            return Start(isWithoutNetwork: true, isCertain: false)
        case .withoutNetwork where program_raises_rights(program.reach) == 0:
            let level: LogLevel = program.reach == PROGRAM_GO ? .warning : .info
            return Start(
                isWithoutNetwork: true, isCertain: program_is_certain(program.reach) != 0,
                notice: (level, "\(subject) \(reason); it is started without network"))
        case nil, .withoutNetwork, .block:
            throw .cannotExecute(
                "\(subject) \(reason); it would go direct. What helps: \(advice); "
                    + alternatives(program.reach))
        }
    }

    private static func alternatives(_ reach: program_reach) -> String {
        let direct = "--unreachable direct lets it go direct."
        return program_raises_rights(reach) != 0
            ? direct
            : "--unreachable nonet starts it without network; dynamic programs that it starts use "
                + "the proxy; \(direct)"
    }

    /// Installs the network filter in this process, which will become the program.
    static func forbidNetwork(_ start: Start) throws(Failure) {
        let table = environmentValue("SOCKSIFY_TABLE") ?? []
        let areSocketsHeld = start.isCertain ? network_sockets_are_held(0) : 0
        let result = table.withCString { network_forbid(network_key($0), areSocketsHeld) }
        guard result == 0 else { throw .own("cannot keep it from the network: \(describe(Int32(-result)))") }
    }
}
