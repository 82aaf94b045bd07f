import CLinux
import Glibc

/// The program that is to be run, looked for and judged before it is run.
///
/// The dynamic linker loads the library into a program only if there is a dynamic linker, if it can load
/// libraries of this machine and this libc, and if the kernel does not mark the process as one that runs with
/// rights that its caller does not have (AT_SECURE, see getauxval(3)). What cannot be reached would use the
/// network as if there were no proxy, so it is refused.
public enum Target {
    /// Where the program of that name is, as execvp(3) looks for it.
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

    /// Throws if preloading would not reach the program at `path`.
    public static func check(_ path: [UInt8]) throws(Failure) {
        var program = path
        // As many as the kernel follows.
        for _ in 0..<5 {
            guard let file = OpenFile.open(program), let status = file.status, status.isRegularFile else {
                // Who may run a file need not be allowed to read it. Its rights can be told all the same.
                var status = stat()
                if program.withCString({ stat($0, &status) }) == 0 { try checkRights(program, status) }
                return
            }
            switch ExecutableFormat(reading: file.read) {
            case .script(let interpreter):
                // The kernel takes the rights from the interpreter, never from the script.
                program = interpreter
                continue
            case .dynamic(let linker):
                if linker.firstRange(of: Array("ld-musl".utf8)) != nil {
                    throw refusal(
                        path, program, "is made for another libc (musl), and cannot load libsocksify.so",
                        "use a build of it for glibc")
                }
            case .fixed:
                // The dynamic linker itself, called as a command, loads what is preloaded.
                let name = program.split(separator: UInt8(ascii: "/")).last ?? []
                if name.starts(with: "ld-linux".utf8) || name.starts(with: "ld.so".utf8) { break }
                throw refusal(
                    path, program,
                    "is statically linked, and loads no libraries, so libsocksify.so cannot be "
                        + "preloaded into it",
                    "use a dynamically linked build of it, or its own proxy settings")
            case .otherWordSize:
                throw refusal(
                    path, program, "is a 32-bit program, and cannot load libsocksify.so",
                    "use a 64-bit build of it")
            case .otherMachine:
                throw refusal(
                    path, program, "is for another kind of machine, and cannot load libsocksify.so",
                    "use a build of it for this machine")
            case .unknown:
                break
            }
            try checkRights(program, status)
            return
        }
    }

    private static func checkRights(_ program: Path, _ status: stat) throws(Failure) {
        // Where the kernel gives no rights of files, nothing changes.
        var volume = statvfs()
        if program.withCString({ statvfs($0, &volume) }) == 0, volume.f_flag & UInt(ST_NOSUID) != 0 {
            return
        }
        if linux_has_no_new_privileges() { return }

        let advice = "run socksify with the rights that it needs, for instance 'sudo socksify ...'"
        if status.st_mode & S_ISUID != 0, status.st_uid != getuid() {
            throw refusal(
                program, program, "is set-user-ID, and the dynamic linker preloads nothing into it", advice)
        }
        if status.st_mode & S_ISGID != 0, status.st_mode & S_IXGRP != 0, status.st_gid != getgid() {
            throw refusal(
                program, program, "is set-group-ID, and the dynamic linker preloads nothing into it", advice)
        }
        if getuid() != 0, givesCapabilities(extendedAttribute("security.capability", of: program)) {
            throw refusal(
                program, program, "has file capabilities, and the dynamic linker preloads nothing into it",
                advice)
        }
    }

    private static func extendedAttribute(_ name: String, of path: Path) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 64) { buffer, filled in
            filled = max(path.withCString { getxattr($0, name, buffer.baseAddress, buffer.count) }, 0)
        }
    }

    private static func refusal(_ command: Path, _ program: Path, _ reason: String, _ advice: String)
        -> Failure
    {
        let subject =
            command == program ? command.shown : "\(command.shown): its interpreter \(program.shown)"
        return .cannotExecute("\(subject) \(reason); it would go around the proxy. What helps: \(advice).")
    }
}

extension Array where Element == UInt8 {
    fileprivate func firstRange(of part: [UInt8]) -> Range<Int>? {
        guard part.count <= count else { return nil }
        for start in 0...(count - part.count) where self[start..<start + part.count].elementsEqual(part) {
            return start..<start + part.count
        }
        return nil
    }
}
