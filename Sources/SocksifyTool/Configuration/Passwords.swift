import Glibc
import ProxyConfig

extension LoadedConfiguration {
    /// Puts in passwords that stand elsewhere.
    ///
    /// - Throws: one message for each that cannot be had; with any of them the library refuses every connection.
    mutating func readPasswords() throws(Failure) {
        var careless: [Path] = []
        parsed.readPasswords { source in
            switch source {
            case .variable(let name): return environmentValue(name.shown)
            case .file(let path):
                guard let file = OpenFile.open(path), let status = file.status, status.isRegularFile,
                    let text = file.contents(atMost: ConfigurationLoading.largestFile + 1),
                    text.count <= ConfigurationLoading.largestFile
                else { return nil }
                if status.isCarelesslyReadable { careless.append(path) }
                return text
            }
        }
        warnings += careless.map(readableByOthers)
        let errors = parsed.errors.map { render($0) }
        guard errors.isEmpty else { throw Failure(status: 125, errors) }
    }
}
