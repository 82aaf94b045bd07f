/// What the client asks for: CMD, DST.ADDR and DST.PORT (RFC 1928, section 4).
///
///     05 CMD 00 ATYP DST.ADDR… DST.PORT
public struct Request: Equatable, Sendable {
    /// CMD, of which more values may arrive than have names.
    public struct Command: Hashable, Sendable, RawRepresentable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let connect = Command(rawValue: 1)
        public static let bind = Command(rawValue: 2)
        public static let udpAssociate = Command(rawValue: 3)
        /// Tor's: the address of a name.
        public static let resolve = Command(rawValue: 0xf0)
        /// Tor's: the name of an address.
        public static let resolvePTR = Command(rawValue: 0xf1)
    }

    public var command: Command
    public var address: Address
    public var port: UInt16

    /// DST.ADDR and DST.PORT.
    public var endpoint: Endpoint { Endpoint(address, port: port) }

    public init(command: Command, address: Address, port: UInt16) {
        self.command = command
        self.address = address
        self.port = port
    }

    static func parse(_ buffer: inout [UInt8]) -> Parsed<Request> {
        var reader = Reader(buffer)
        guard let version = reader.byte() else { return .needMore }
        guard version == 5 else { return .malformed("request of version \(version)") }
        guard let command = reader.byte(), let reserved = reader.byte() else { return .needMore }
        guard reserved == 0 else { return .malformed("reserved byte \(reserved) in the request") }
        switch Endpoint.read(from: &reader) {
        case .needMore: return .needMore
        case .malformed(let reason): return .malformed(reason)
        case .message(let endpoint):
            buffer.removeFirst(reader.offset)
            return .message(
                Request(command: Command(rawValue: command), address: endpoint.address, port: endpoint.port))
        }
    }
}

extension Request: CustomStringConvertible {
    public var description: String {
        let name =
            switch command {
            case .connect: "CONNECT"
            case .bind: "BIND"
            case .udpAssociate: "UDP ASSOCIATE"
            case .resolve: "RESOLVE"
            case .resolvePTR: "RESOLVE_PTR"
            default: "command \(command.rawValue)"
            }
        return "\(name) \(endpoint)"
    }
}
