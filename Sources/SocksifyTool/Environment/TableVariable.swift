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
    else { return Array(sharedFolder.utf8) }
    return folder
}

/// The user's directory in /dev/shm, unless it is another user's.
private var sharedFolder: String {
    let (shared, own) = ("/dev/shm", "/dev/shm/socksify-\(geteuid())")
    var status = stat()
    guard lstat(own, &status) == 0 else { return errno == ENOENT ? own : shared }
    let isOwn = status.st_mode & S_IFMT == S_IFDIR && status.st_mode & 0o077 == 0 && status.st_uid == geteuid()
    return isOwn ? own : shared
}
