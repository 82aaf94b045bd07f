import Glibc

/// The value of `SOCKSIFY_TABLE` for a command: the path of the file that it and everything that it starts share their
/// names by. The library makes the file, when there is something to share; here it is only named.
///
/// - Parameter runtimeFolder: the value of `XDG_RUNTIME_DIR`.
public func tableVariable(runtimeFolder: [UInt8]?) -> [UInt8] {
    let digits = String(UInt64.random(in: .min ... .max), radix: 16)
    // This process becomes the command.
    let name = "/socksify-\(getpid())-" + String(repeating: "0", count: 16 - digits.count) + digits
    return usable(runtimeFolder) + name.utf8
}

private func usable(_ runtimeFolder: [UInt8]?) -> [UInt8] {
    // As long as the library would take it.
    guard let folder = runtimeFolder, folder.first == UInt8(ascii: "/"), folder.count <= 200,
        folder.withCString({ faccessat(AT_FDCWD, $0, W_OK | X_OK, AT_EACCESS) }) == 0
    else { return Array("/dev/shm".utf8) }
    return folder
}
