import FakeDNS

/// /etc/hosts (hosts(5)): its names keep their meaning, and are never asked of a server.
enum HostsFile {
    /// Calls `body` with each line that has an address, until it returns false.
    ///
    /// - Returns: the error if descriptors or memory were missing to open it. Lookups must then fail, because the file
    ///   could have the name.
    static func forEachLine(_ body: (borrowing HostsLine) -> Bool) -> Errno? {
        TextFile.forEachLine(of: "/etc/hosts") { line in
            guard let line = HostsLine(line) else { return true }
            return body(line)
        }
    }
}
