import Glibc

/// The value of `LD_PRELOAD` with `library` in it: in front, and only once.
public func preloadVariable(adding library: [UInt8], to value: [UInt8]?) -> [UInt8] {
    guard let value, !value.isEmpty else { return library }
    if preloads(library, in: value) { return value }
    return library + [UInt8(ascii: ":")] + value
}

func preloads(_ library: [UInt8], in value: [UInt8]) -> Bool {
    // ld.so(8): separated by spaces or colons, without a way to escape either.
    value.split { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: " ") }.contains { $0.elementsEqual(library) }
}

/// The library that belongs to this program: `../lib/libsocksify.so` or `../lib/socksify/libsocksify.so`.
public enum LibraryLocation {
    public static func find() throws(Failure) -> [UInt8] {
        guard let program = ownPath() else { throw .own("cannot read /proc/self/exe: \(describe(errno))") }
        var tried: [String] = []
        for path in candidates(besides: program) {
            if path.withCString({ access($0, R_OK) }) == 0 {
                guard !path.contains(where: { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: " ") }) else {
                    throw .own(
                        "\(path.shown) cannot be preloaded, because there is a space or a colon in its path; "
                            + "install socksify elsewhere")
                }
                return path
            }
            tried.append(path.shown)
        }
        throw .own(
            "the library is missing; expected \(tried.joined(separator: " or ")). Install socksify again."
        )
    }

    /// Where the library may be for a program at `program`.
    public static func candidates(besides program: [UInt8]) -> [[UInt8]] {
        let components = program.split(separator: UInt8(ascii: "/"))
        let prefix = components.dropLast(2).flatMap { [UInt8(ascii: "/")] + $0 }
        return [prefix + "/lib/libsocksify.so".utf8, prefix + "/lib/socksify/libsocksify.so".utf8]
    }

    private static func ownPath() -> Path? {
        let path = Path(unsafeUninitializedCapacity: Int(PATH_MAX)) { buffer, filled in
            filled = max(
                buffer.withMemoryRebound(to: CChar.self) { characters in
                    guard let start = characters.baseAddress else { return 0 }
                    return readlink("/proc/self/exe", start, characters.count)
                }, 0)
        }
        return path.isEmpty ? nil : path
    }
}
