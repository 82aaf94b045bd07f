import Glibc
import ProxyConfig

extension Credentials {
    /// The password, read from where it is.
    func readPassword() throws(Failure) -> [UInt8] {
        switch source {
        case nil: return password
        case .file(let path):
            guard let file = OpenFile.open(path) else {
                throw .own("cannot read the password file \(path.shown): \(describe(errno))")
            }
            let line = file.read(4096, at: 0).prefix { $0 != UInt8(ascii: "\n") }
            return try checked(line.last == UInt8(ascii: "\r") ? line.dropLast() : line, path.shown)
        case .variable(let name):
            let text = name.shown
            guard let value = environmentValue(text) else {
                throw .own("the password of \(user.shown) should be in the variable \(text), which is not set")
            }
            return try checked(value[...], text)
        }
    }

    private func checked(_ password: ArraySlice<UInt8>, _ place: String) throws(Failure) -> [UInt8] {
        guard (1...255).contains(password.count) else {
            throw .own("the password in \(place) has \(password.count) bytes; expected 1 to 255")
        }
        return Array(password)
    }
}

extension LoadedConfiguration {
    /// What is wrong with passwords that are read from elsewhere. Only a warning, because the command may be given them.
    var missingPasswords: [String] {
        configuration.proxies.flatMap { proxy -> [String] in
            do throws(Failure) {
                _ = try proxy.credentials?.readPassword()
                return []
            } catch {
                return error.messages
            }
        }
    }
}
