import Addressing
import CLibC
import FakeDNS
import ProxyConfig

/// Names, and the reserved addresses that stand for them, as of now.
extension NameTable<SharedMemory> {
    /// The number of a name; nil when there is none for it.
    func number(of name: HostName) -> UInt32? { number(of: name, at: Clock.seconds) }

    /// The name under a number; nil when there is none.
    func name(of number: UInt32) -> HostName? { name(of: number, at: Clock.seconds) }
}

extension Runtime {
    /// The number of a name that is looked up; where all are in use, that is said.
    func number(lookingUp name: HostName) -> UInt32? {
        if let number = names.number(of: name) { return number }
        guard names.isFull else { return nil }
        Log.write(.error, configuration) { line in
            name.write(to: &line)
            line.append(": no address can stand for this name: all of them were used in the last ten minutes")
        }
        return nil
    }
}
