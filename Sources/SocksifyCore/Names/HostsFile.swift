import FakeDNS

/// /etc/hosts: names that it knows keep their meaning, and nobody else is asked about them.
enum HostsFile {
    /// Calls `body` with each line that gives an address, until it returns false.
    static func forEachLine(_ body: (borrowing HostsLine) -> Bool) {
        TextFile.forEachLine(of: "/etc/hosts") { line in
            guard let line = HostsLine(line) else { return true }
            return body(line)
        }
    }
}
