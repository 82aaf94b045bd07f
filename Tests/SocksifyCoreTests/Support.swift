import Addressing
import FakeDNS
import Foundation
import ProxyConfig
import SharedTables
import Synchronization

@testable import SocksifyCore

/// Zero-filled memory that is left to the process: a test's table may outlive the test.
func zeroedMemory(_ size: Int) -> UnsafeMutableRawPointer {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    return memory
}

/// Memory as processes share it, of this process alone.
func sharedMemory(_ size: Int) -> SharedMemory {
    let whole = (size + 0xffff) & ~0xffff
    let parts = SharedMemory.privateParts([whole], notes: zeroedMemory(SharedMemory.notesSize(for: whole)))
    guard let parts else { fatalError("no memory of \(size) bytes") }
    return parts[0]
}

func keyedWords(capacity: Int = 64) -> KeyedWords {
    KeyedWords(memory: sharedMemory(KeyedWords.size(capacity: capacity)), capacity: capacity)
}

/// What a process knows of proxies by a configuration of this text.
func proxies(_ text: String, turns: KeyedWords = keyedWords(), failures: KeyedWords = keyedWords()) -> Proxies {
    let assembly = ConfigurationAssembly(
        ConfigurationSearch.Environment(file: Array("/socksify.conf".utf8)), program: { nil },
        read: { _ in .success(FileText(Array(text.utf8), isReadableByOthers: false)) })
    guard assembly.mistakes.isEmpty else { fatalError("a mistake in \(text)") }
    let configuration = assembly.parsed.configuration
    return Proxies(
        configuration: configuration, places: assembly.places,
        proxyAddresses: ProxyAddresses(configuration, memory: zeroedMemory(ProxyAddresses.size(configuration))),
        health: ProxyHealth(
            configuration, failures: failures, keys: zeroedMemory(ProxyHealth.size(configuration))),
        cursors: RoundRobinCursors(
            configuration, cursors: turns, keys: zeroedMemory(RoundRobinCursors.size(configuration))),
        isolation: StreamIsolation(
            configuration.isolation, tree: zeroedMemory(16).assumingMemoryBound(to: UInt64.self),
            own: zeroedMemory(StreamIsolation.ownSize)))
}

/// What it knows of names.
func names(_ text: String) -> Names {
    let proxies = proxies(text)
    let fakeAddresses = FakeAddresses(network: proxies.configuration.fakeNetwork)
    let table = NameTable(
        memory: sharedMemory(NameTable<SharedMemory>.size(capacity: 64)), capacity: 64,
        numberCount: fakeAddresses.capacity, random: 1)
    guard let table else { fatalError("no table of names") }
    return Names(
        proxies: proxies, fakeAddresses: fakeAddresses, table: table,
        addressNames: AddressNames(memory: sharedMemory(AddressNames<SharedMemory>.size(capacity: 64)), capacity: 64))
}

/// The number of a name, which there is room for. (The checks of Testing take no values that cannot be copied.)
func number(of name: String, _ names: borrowing Names) -> UInt32 {
    guard let number = names.number(of: hostName(name)) else { fatalError("no number") }
    return number
}

func address(_ text: String) -> IPAddress {
    guard let address = IPAddress(text) else { fatalError("no address: \(text)") }
    return address
}

func hostName(_ text: String) -> HostName {
    guard let name = HostName(text) else { fatalError("no name: \(text)") }
    return name
}

/// What something writes, as text.
func text(_ write: (inout [UInt8]) -> Void) -> String {
    var bytes: [UInt8] = []
    write(&bytes)
    return String(decoding: bytes, as: UTF8.self)
}

/// Two ends of a stream, closed with it.
final class StreamPair {
    let near, far: Socket

    init() {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else { fatalError("no sockets") }
        (near, far) = (Socket(descriptor: ends[0]), Socket(descriptor: ends[1]))
    }

    deinit {
        close(near.descriptor)
        close(far.descriptor)
    }
}

/// A folder that is gone with the test.
final class TemporaryFolder {
    let path: String

    init() {
        var template = Array((NSTemporaryDirectory() + "/socksify-core.XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { fatalError("no folder") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func write(_ bytes: [UInt8], to name: String) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
        return "\(path)/\(name)"
    }
}
