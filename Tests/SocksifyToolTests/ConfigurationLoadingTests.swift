import Addressing
import Foundation
import ProxyConfig
import Testing

@testable import SocksifyTool

@Suite struct ConfigurationLoadingTests {
    private let folder = TemporaryFolder()

    private func load(
        _ urls: [String] = [], file: String? = nil, proxies: String? = nil, named: String? = nil,
        home: String? = nil,
        proxychainsFile: String? = nil, direct: [String] = [], inherited: String? = nil, address: String? = "192.0.2.1"
    ) throws(Failure) -> [String: String?] {
        func bytes(_ text: String?) -> [UInt8]? { text.map { Array($0.utf8) } }
        let loaded = try ConfigurationLoading.load(
            ConfigurationOptions(
                proxies: urls.map { Array($0.utf8) }, file: bytes(file), direct: direct.map { Array($0.utf8) }),
            environment: ConfigurationSearch.Environment(
                proxies: bytes(proxies), file: bytes(named), home: bytes(home),
                proxychainsFile: bytes(proxychainsFile), direct: bytes(inherited)))
        let changes = try loaded.handedOn(resolve: address.map { text in { _ in .success(IPAddress(text)!) } })
        return Dictionary(
            uniqueKeysWithValues: changes.map { ($0.name, $0.value.map { String(decoding: $0, as: UTF8.self) }) })
    }

    private func warnings(file: String) throws(Failure) -> [String] {
        try ConfigurationLoading.load(
            ConfigurationOptions(file: Array(file.utf8)), environment: ConfigurationSearch.Environment()
        ).warnings
    }

    private func failure(_ body: () throws -> Void) -> Failure? {
        do { try body() } catch { return error as? Failure }
        return nil
    }

    /// Proxies of the command line become numeric, and every character that a URL could misread is encoded.
    @Test func proxiesOfTheCommandLine() throws {
        #expect(try load(["10.0.0.1"]) == ["SOCKSIFY_PROXY": "socks5://10.0.0.1:1080", "SOCKSIFY_CONF": nil])
        #expect(
            try load(["socks5h://a%2Cb:%40@gw.example:9", "[::1]"])["SOCKSIFY_PROXY"]
                == "socks5://a%2cb:%40@192.0.2.1:9,socks5://[::1]:1080")
        #expect(try load(["gw.example"], address: nil)["SOCKSIFY_PROXY"] == "socks5://gw.example:1080")
        #expect(
            try load(["gw.example"], address: "2001:db8::1")["SOCKSIFY_PROXY"]
                == "socks5://[2001:db8::1]:1080")
        #expect(
            try load(["10.0.0.1,b"])["SOCKSIFY_PROXY"]
                == "socks5://10.0.0.1:1080,socks5://b:1080")
    }

    /// Every byte of a user and a password arrives.
    @Test func everyByteInCredentials() {
        let bytes = (UInt8.min...UInt8.max).filter { $0 != 0 }
        let proxy = Proxy(
            type: .socks5, host: .address(.v4(IPv4Address(10, 0, 0, 1))), port: 1,
            credentials: Credentials(user: bytes, password: bytes.reversed()))
        var url: [UInt8] = []
        proxy.writeURL(to: &url)
        #expect(Configuration.parse(proxyURLs: url.span).configuration.proxies == [proxy])
    }

    /// The command line precedes the environment; a file that is given with proxies provides everything but the chain.
    @Test func precedence() throws {
        let path = folder.write("a.conf", "loopback proxy\n[ProxyList]\nsocks5 10.0.0.9 1080\n")
        #expect(try load(["10.0.0.1"], proxies: "10.0.0.2")["SOCKSIFY_PROXY"] == "socks5://10.0.0.1:1080")
        #expect(try load(proxies: "10.0.0.2")["SOCKSIFY_PROXY"] == "socks5://10.0.0.2:1080")
        #expect(try load(file: path, proxies: "10.0.0.2") == ["SOCKSIFY_PROXY": nil, "SOCKSIFY_CONF": path])
        #expect(try load(file: path, named: "/nowhere") == ["SOCKSIFY_PROXY": nil, "SOCKSIFY_CONF": path])
        let both = ["SOCKSIFY_PROXY": "socks5://10.0.0.1:1080", "SOCKSIFY_CONF": path]
        #expect(try load(["10.0.0.1"], file: path) == both)
        #expect(try load(["10.0.0.1"], named: path) == both)
    }

    /// Direct destinations are handed on, and added to those of an outer socksify.
    @Test func directPatterns() throws {
        #expect(try load(["10.0.0.1"], direct: ["10.0.0.0/8", "a:22,b"])["SOCKSIFY_DIRECT"] == "10.0.0.0/8,a:22,b")
        #expect(try load(["10.0.0.1"], direct: ["a"], inherited: "b")["SOCKSIFY_DIRECT"] == "a,b")
        #expect(try load(["10.0.0.1"])["SOCKSIFY_DIRECT"] == nil)
        let failure = failure { _ = try load(["10.0.0.1"], direct: ["10.0.0.0/40"], inherited: "b,") }
        #expect(failure?.messages.count == 2)
        #expect(failure?.messages.first?.hasPrefix("--direct, column 1: '10.0.0.0/40' does not fit here") == true)
        #expect(failure?.messages.last?.hasPrefix("SOCKSIFY_DIRECT, column 3: expected a host or a network") == true)
    }

    /// The command may run in another directory than the one where the password file was named, and the environment
    /// gets no password.
    @Test func passwordsFromElsewhere() throws {
        let folder = FileManager.default.currentDirectoryPath
        #expect(
            try load(["socks5://u@10.0.0.1?password-file=p%20w"])["SOCKSIFY_PROXY"]
                == "socks5://u@10.0.0.1:1080?password-file=\(folder)/p%20w")
        #expect(
            try load(["socks5://u@10.0.0.1?password-env=PW"])["SOCKSIFY_PROXY"]
                == "socks5://u@10.0.0.1:1080?password-env=PW")
    }

    /// The tool reports a missing password before the command logs in.
    @Test func missingPasswords() throws {
        let password = folder.write("pw", "secret\nand more\n")
        var loaded = try loadedConfiguration(["socks5://u@10.0.0.1?password-file=\(password)"])
        try loaded.readPasswords()
        #expect(loaded.configuration.proxies.map(\.credentials?.password) == [Array("secret".utf8)])

        loaded = try loadedConfiguration(["socks5://u@10.0.0.1?password-file=\(folder.path)/none", "u@10.0.0.2"])
        #expect(
            failure { try loaded.readPasswords() }?.messages == [
                "-x, column 1: the password file '\(folder.path)/none' cannot be read",
                "-x, column \(folder.path.utf8.count + 41): a user needs a password, and the environment variable "
                    + "'SOCKSIFY_PASSWORD' is not set",
            ])
    }

    private func loadedConfiguration(_ urls: [String]) throws -> LoadedConfiguration {
        try ConfigurationLoading.load(
            ConfigurationOptions(proxies: urls.map { Array($0.utf8) }), environment: ConfigurationSearch.Environment())
    }

    @Test func passwordFilesForEverybody() throws {
        for (mode, count) in [(0o600, 0), (0o604, 1)] {
            let password = folder.write("pw\(mode)", "secret\n", mode: mode)
            var loaded = try loadedConfiguration(["socks5://u@10.0.0.1?password-file=\(password)"])
            try loaded.readPasswords()
            #expect(loaded.warnings.count == count)
        }
    }

    @Test func searchedFiles() throws {
        #expect(failure { _ = try load(named: folder.path + "/none") }?.status == 125)
        let path = folder.write("home/.config/socksify/socksify.conf", "[ProxyList]\nsocks5 10.0.0.9 1080\n")
        #expect(try load(home: folder.path + "/home")["SOCKSIFY_CONF"] == path)
    }

    /// If a file exists, the next one does not count. A process's memory is a regular file that opens, and cannot be
    /// read at its beginning.
    @Test(arguments: [
        ("socksify.conf", "Too many levels of symbolic links"), ("nowhere", "No such file or directory"),
        ("/proc/self/mem", "Input/output error"),
    ])
    func fileThatCannotBeRead(target: String, reason: String) throws {
        let path = folder.write("link/.config/socksify/socksify.conf", "")
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
        let failure = failure { _ = try load(home: folder.path + "/link") }
        #expect(failure?.status == 125)
        #expect(failure?.messages == ["cannot read the configuration \(path): \(reason)"])
    }

    @Test(arguments: ["/proc/self/mem", "/dev/zero", "/"])
    func passwordFileThatCannotBeRead(path: String) throws {
        var loaded = try loadedConfiguration(["socks5://u@10.0.0.1?password-file=\(path)"])
        #expect(
            failure { try loaded.readPasswords() }?.messages
                == ["-x, column 1: the password file '\(path)' cannot be read"])
    }

    /// The name of a file from PROXYCHAINS_CONF_FILE does not show its style, so the variable is handed on.
    @Test func fileOfProxychains() throws {
        let path = folder.write("mine.conf", "what_is_this\n[ProxyList]\nsocks5 10.0.0.9 1080\n")
        #expect(
            try load(home: folder.path + "/nobody", proxychainsFile: path)
                == ["SOCKSIFY_CONF": path, "PROXYCHAINS_CONF_FILE": path, "SOCKSIFY_PROXY": nil])
        #expect(try load(named: path, proxychainsFile: path)["PROXYCHAINS_CONF_FILE"] == path)
        #expect(
            failure { _ = try load(named: path) }?.messages == ["\(path):1:1: 'what_is_this' is not a keyword"])
    }

    @Test func mistakes() {
        let path = folder.write("b.conf", "x\n[ProxyList]\nsocks5 10.0.0.9\n")
        #expect(
            failure { _ = try load(file: path) }
                == Failure(
                    status: 125,
                    ["\(path):1:1: 'x' is not a keyword", "\(path):3:16: expected a port, 1 to 65535"]))
        #expect(
            failure { _ = try load(["a", "ftp://b"]) }?.messages == [
                "-x number 2, column 1: 'ftp' is not a proxy type; expected socks5, socks4, http or raw", example,
            ])
        #expect(
            failure { _ = try load([""]) }?.messages == [
                "-x, column 1: expected a proxy, as in 'socks5://127.0.0.1:1080'", example,
            ])
        #expect(
            failure { _ = try load(file: folder.path) }?.messages.first?.contains("Is a directory") == true)
        #expect(
            failure { _ = try load(file: "/dev/zero") }?.messages.first?.contains("is not a regular file") == true)
        // A user who may read everything gets no error.
        if getuid() != 0 {
            let unreadable = folder.write("d.conf", "", mode: 0)
            #expect(
                failure { _ = try load(file: unreadable) }?.messages
                    == ["cannot read the configuration \(unreadable): Permission denied"])
        }
        let large = folder.write("c.conf", String(repeating: "#\n", count: 2_200_000))
        #expect(
            failure { _ = try load(file: large) }?.messages.first?.contains("more than 4194304 bytes") == true
        )
    }

    private let example = "a proxy is, for example, socks5://127.0.0.1:1080, gw.example:1080 or /run/proxy.socket"

    /// Only the owner of a file may read its passwords.
    @Test(arguments: [
        (0o600, "socks5 10.0.0.9 1080 u p", 0), (0o640, "socks5 10.0.0.9 1080 u p", 1),
        (0o604, "socks5 10.0.0.9 1080 u p", 1), (0o644, "socks5 10.0.0.9 1080", 0),
    ])
    func passwordsForEverybody(mode: Int, proxy: String, count: Int) throws {
        let path = folder.write("p.conf", "[ProxyList]\n\(proxy)\n", mode: mode)
        let warnings = try warnings(file: path)
        #expect(warnings.count == count)
        #expect(
            warnings.allSatisfy { $0.hasPrefix("\(path) has passwords in it") && $0.hasSuffix("chmod 600 \(path)") })
    }

    @Test func preloadVariables() {
        func variable(_ value: String?) -> String {
            String(
                decoding: preloadVariable(adding: Array("/l/s.so".utf8), to: value.map { Array($0.utf8) }),
                as: UTF8.self)
        }
        #expect(variable(nil) == "/l/s.so")
        #expect(variable("") == "/l/s.so")
        #expect(variable("/a.so /b.so") == "/l/s.so:/a.so /b.so")
        #expect(variable("/a.so:/l/s.so") == "/a.so:/l/s.so")
        #expect(variable("/a.so /l/s.so") == "/a.so /l/s.so")
        #expect(variable("/x/l/s.so") == "/l/s.so:/x/l/s.so")
    }

    @Test func libraryBesidesTheProgram() {
        func candidates(_ path: String) -> [String] {
            LibraryLocation.candidates(besides: Array(path.utf8)).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(
            candidates("/usr/local/bin/socksify") == [
                "/usr/local/lib/libsocksify.so", "/usr/local/lib/socksify/libsocksify.so",
            ])
        #expect(candidates("/bin/socksify")[0] == "/lib/libsocksify.so")
        #expect(candidates("/socksify")[0] == "/lib/libsocksify.so")
    }
}

/// A folder that is deleted with its last reference.
final class TemporaryFolder {
    let path: String

    init() {
        // The path is short, because messages shorten long paths.
        let name = "socksify-\(UUID().uuidString.prefix(8))"
        path = FileManager.default.temporaryDirectory.appending(path: name).path()
        try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file and the folders above it, and returns its path.
    func write(_ name: String, _ text: String, mode: Int = 0o644) -> String {
        write(name, Data(text.utf8), mode: mode)
    }

    func write(_ name: String, _ data: Data, mode: Int) -> String {
        let file = path + "/" + name
        try! FileManager.default.createDirectory(
            atPath: URL(filePath: file).deletingLastPathComponent().path(), withIntermediateDirectories: true)
        let isProgram = mode & 0o111 != 0
        let written = isProgram ? file + ".written" : file
        try! data.write(to: URL(filePath: written))
        if isProgram { try! copyProgram(written, to: file) }
        try! FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        return file
    }
}

/// Copies a program by a process of its own. While this process writes to a file, a child that another thread starts
/// has the file open, too, until it runs its program; and a file that is open for writing cannot be run (execve(2),
/// ETXTBSY).
func copyProgram(_ from: String, to target: String) throws {
    let copy = Process()
    copy.executableURL = URL(filePath: "/bin/cp")
    copy.arguments = ["--remove-destination", from, target]
    try copy.run()
    copy.waitUntilExit()
    guard copy.terminationStatus == 0 else { throw CocoaError(.fileWriteUnknown) }
}
