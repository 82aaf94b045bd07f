import FakeDNS

/// /etc/hosts: names that it knows keep their meaning, and nobody else is asked about them.
enum HostsFile {
    /// Calls `body` with each line that gives an address, until it returns false.
    ///
    /// - Returns: what there was none of to open it, descriptors or memory: then nothing is known of any name, and none
    ///   may be asked of the proxy that the file could have.
    static func forEachLine(_ body: (borrowing HostsLine) -> Bool) -> Errno? {
        TextFile.forEachLine(of: "/etc/hosts") { line in
            guard let line = HostsLine(line) else { return true }
            return body(line)
        }
    }
}
