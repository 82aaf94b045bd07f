import TestProxy
import Testing

extension EndToEnd {
    /// A connected socket receives through a proxy only the datagrams of its peer.
    @Suite struct DatagramPeerTests {
        /// A datagram whose header names this source.
        private static func datagram(from source: Endpoint) -> [UInt8] {
            let address: [UInt8] =
                switch source.address {
                case .ipv4(let bytes): [1] + bytes
                case .name(let bytes): [3, UInt8(bytes.count)] + bytes
                case .ipv6(let bytes): [4] + bytes
                }
            return [0, 0, 0] + address + [UInt8(source.port >> 8), UInt8(source.port & 255)] + Array("another".utf8)
        }

        private static func sending(_ sources: [Endpoint]) -> Script {
            let datagrams = sources.map(datagram)
            return .with { $0.datagrams.garbage = { _ in datagrams } }
        }

        @Test(arguments: EchoTargets.Family.allCases)
        func `A connected socket receives nothing that is said to come from elsewhere`(
            family: EchoTargets.Family
        ) async throws {
            let port = try #require(UInt16(try await EchoTargets.far(family)[1]))
            let (peer, other) = family == .ipv6 ? (FarSide.ipv6, "2001:db8::11") : (FarSide.ipv4, "203.0.113.11")
            let sources = [
                Endpoint(Address(other), port: port), Endpoint(Address(peer), port: port + 1),
                Endpoint(Address(other), port: port + 1), Endpoint(Address("other.test"), port: port),
                // Names in the protocol (ATYP 3) whose text is an address.
                Endpoint(.name(Array(other.utf8)), port: port), Endpoint(.name(Array(peer.utf8)), port: port + 1),
                Endpoint(Address(family == .ipv6 ? FarSide.ipv4 : FarSide.ipv6), port: port),
            ]
            try await DatagramProbe.compare(
                "datagram-peer", "connected", family, script: DatagramPeerTests.sending(sources))
        }

        @Test(arguments: EchoTargets.Family.allCases)
        func `A socket that is connected to port 0 has no peer`(family: EchoTargets.Family) async throws {
            try await DatagramProbe.compare("datagram-peer", "port-zero", family, ending: .clean)
        }

        @Test func `Where the peer is a name, the port is that of the peer`() async throws {
            let port = try #require(UInt16(try await EchoTargets.far(.ipv4)[1]))
            let sources = ["203.0.113.10", "203.0.113.11", "web.test", "other.test"].map {
                Endpoint(Address($0), port: port + 1)
            }
            let (output, _) = try await DatagramProbe.run(
                "datagram-names", "connect", .ipv4, ["web.test", "\(port)"],
                script: DatagramPeerTests.sending(sources))
            #expect(output.lines == ["peer as connected to", "hello from web.test", "5"], "\(output.errors)")
        }
    }
}
