import Addressing
import CPreload
import SharedTables

/// A relayed socket as the shared words by which processes tell each other of it: only numbers, each checked by its reader.
extension RelayedSocket {
    /// What it is written as, with a check: all but the names, which are many words and hardly ever change, and they.
    private static var ownWordCount: Int { 2 + 11 + 5 + Association.wordCount + WayOptions.wordCount + 1 }
    static var wordCount: Int { ownWordCount + NamedDestinations.wordCount + 1 }

    /// Writes all but the names.
    ///
    /// - Parameter check: what the words belong to.
    @inline(never)
    func write(to start: UnsafeMutableRawPointer, check: UInt64) {
        var words = WordCursor(start, count: RelayedSocket.ownWordCount, check: check)
        words.write(UInt32(bitPattern: process), UInt32(bitPattern: descriptor))
        var flags: UInt32 = domain == AF_INET6 ? 1 : 0
        if isLingering { flags |= 2 }
        if isOtherListTold { flags |= 4 }
        if hadPort { flags |= 8 }
        if isShut { flags |= 16 }
        words.write(forks, flags | UInt32(expectedHeader) << 8 | UInt32(kernelPeer.rawValue) << 24)
        Peer.write(peer, to: &words)
        words.write(ownAddress == nil ? 0 : 1)
        words.write(ownAddress ?? .unspecified(domain))
        association.write(to: &words)
        way.write(to: &words)
        words.write(words.check)
    }

    /// Writes the names, to where all else is.
    @inline(never)
    func writeNames(to start: UnsafeMutableRawPointer, check: UInt64) {
        var words = WordCursor(
            start + RelayedSocket.ownWordCount * 8, count: NamedDestinations.wordCount + 1, check: check)
        names.write(to: &words)
        words.write(words.check)
    }

    /// nil for words that nobody wrote as a whole, or in which there is what cannot be.
    @inline(never)
    init?(from start: UnsafeMutableRawPointer, check: UInt64, namesCheck: UInt64) {
        var words = WordCursor(start, count: RelayedSocket.ownWordCount, check: check)
        let (process, descriptor) = words.readHalves()
        let (forks, flags) = words.readHalves()
        let header = flags >> 8 & 0xffff
        guard let kernelPeer = KernelPeer(rawValue: UInt8(truncatingIfNeeded: flags >> 24)),
            header <= UInt32(UDP_LONGEST_HEADER)
        else { return nil }
        self.init(
            descriptor: Int32(bitPattern: descriptor), process: Int32(bitPattern: process), forks: forks,
            domain: flags & 1 == 0 ? AF_INET : AF_INET6)
        isLingering = flags & 2 != 0
        isOtherListTold = flags & 4 != 0
        hadPort = flags & 8 != 0
        isShut = flags & 16 != 0
        self.kernelPeer = kernelPeer
        peer = Peer.read(from: &words)
        let isOwnAddressKnown = words.read(upTo: 1) == 1
        let ownAddress = words.readSocketAddress()
        if isOwnAddressKnown { self.ownAddress = ownAddress }
        association = Association(from: &words)
        way = WayOptions(from: &words)
        expect(headerLength: Int(header))
        if case .relay = kernelPeer { setPeerHeader(for: peer?.destination) }
        let check = words.check
        guard words.read() == check, !words.isWrong else { return nil }
        var nameWords = WordCursor(
            start + RelayedSocket.ownWordCount * 8, count: NamedDestinations.wordCount + 1, check: namesCheck)
        names = NamedDestinations(from: &nameWords)
        let ownNamesCheck = nameWords.check
        guard nameWords.read() == ownNamesCheck, !nameWords.isWrong else { return nil }
    }
}

extension RelayedSocket.Peer {
    /// Eleven words.
    fileprivate static func write(_ peer: RelayedSocket.Peer?, to words: inout WordCursor) {
        var name = NamedDestinations.Name(number: 0, version: 0, isIPv6: false)
        var (kind, address, port) = (UInt64(0), IPAddress?.none, UInt16(0))
        switch peer?.destination {
        case nil: break
        case .address(let to, let toPort)?: (kind, address, port) = (1, to, toPort)
        case .name(let to, let toPort)?: (kind, name, port) = (2, to, toPort)
        case .nameServer?: kind = 3
        }
        words.write(kind << 16 | UInt64(port))
        words.write(peer?.address ?? .unspecified(AF_INET))
        words.write(UInt64(peer?.list ?? 0))
        words.write(address)
        name.write(to: &words)
    }

    fileprivate static func read(from words: inout WordCursor) -> RelayedSocket.Peer? {
        let kind = words.read(upTo: 3 << 16 | UInt64(UInt16.max))
        let port = UInt16(truncatingIfNeeded: kind)
        let address = words.readSocketAddress()
        let list = Int(words.read(upTo: UInt64(Int32.max)))
        let to = words.readAddress()
        let name = NamedDestinations.Name(from: &words)
        switch kind >> 16 {
        case 1:
            guard let to else {
                words.reject()
                return nil
            }
            return .init(address: address, destination: .address(to, port: port), list: list)
        case 2: return .init(address: address, destination: .name(name, port: port), list: list)
        case 3: return .init(address: address, destination: .nameServer, list: list)
        default: return nil
        }
    }
}
