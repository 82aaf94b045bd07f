import Addressing
import Foundation
import SOCKS5
import Testing

@Suite struct DatagramHeaderTests {
    @Test func `an IPv4 destination takes ten bytes`() {
        let header = DatagramHeader(address: .v4(IPv4Address(192, 0, 2, 1)), port: 443)
        #expect(bytes(header) == [0, 0, 0, 1, 192, 0, 2, 1, 1, 187])
    }

    @Test func `an IPv6 destination goes out as ATYP 4, a mapped one as ATYP 1`() throws {
        #expect(
            bytes(DatagramHeader(address: try #require(IPAddress("2001:db8::1")), port: 53))
                == [0, 0, 0, 4, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 53])
        #expect(
            bytes(DatagramHeader(address: try #require(IPAddress("::ffff:192.0.2.1")), port: 53))
                == [0, 0, 0, 1, 192, 0, 2, 1, 0, 53])
    }

    @Test func `an endpoint goes out as its address or as its name`() throws {
        let name = try #require(HostName("web.test"))
        #expect(
            bytes(DatagramHeader(destination: Endpoint(host: .name(name), port: 80)))
                == [0, 0, 0, 3, 8, 119, 101, 98, 46, 116, 101, 115, 116, 0, 80])
        #expect(
            bytes(DatagramHeader(destination: Endpoint(host: .address(.v4(IPv4Address(1, 2, 3, 4))), port: 258)))
                == [0, 0, 0, 1, 1, 2, 3, 4, 1, 2])
    }

    @Test func `a name of 255 bytes fits`() throws {
        let name = try #require(HostName(String(repeating: "n", count: 255)))
        let header = DatagramHeader(destination: Endpoint(host: .name(name), port: 65535))
        #expect(header.count == DatagramHeader.capacity)
        #expect(bytes(header) == [0, 0, 0, 3, 255] + [UInt8](repeating: 110, count: 255) + [255, 255])
    }

    @Test func `the number of a fragment stands behind the reserved bytes`() {
        let address = IPAddress.v4(IPv4Address(1, 2, 3, 4))
        #expect(
            bytes(DatagramHeader(fragment: 0x83, address: address, port: 1)) == [0, 0, 0x83, 1, 1, 2, 3, 4, 0, 1])
        #expect(
            bytes(DatagramHeader(fragment: 2, destination: Endpoint(host: .address(address), port: 1)))
                == [0, 0, 2, 1, 1, 2, 3, 4, 0, 1])
    }

    @Test func `it reads the source of each address type, and where the data begin`() throws {
        let ipv4 = try #require(read([0, 0, 0, 1, 192, 0, 2, 1, 1, 187, 7]))
        #expect(ipv4.address?.description == "192.0.2.1")
        #expect(ipv4.port == 443)
        #expect(ipv4.length == 10)
        let ipv6 = try #require(read([0, 0, 5, 4, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 53]))
        #expect(ipv6.address?.description == "2001:db8::1")
        #expect(ipv6.port == 53)
        #expect(ipv6.length == 22)
        #expect(ipv6.fragment == 5)
        let datagram: [UInt8] = [0, 0, 0x81, 3, 3, 97, 46, 98, 1, 0, 9, 9, 9]
        let name = try #require(read(datagram))
        #expect(name.address == nil)
        #expect(name.name(in: datagram.span)?.description == "a.b")
        #expect(name.port == 256)
        #expect(name.length == 10)
        #expect(name.fragment == 0x81)
    }

    @Test func `a name is told only where there is one`() throws {
        let datagram: [UInt8] = [0, 0, 0, 1, 192, 0, 2, 1, 1, 187]
        #expect(try #require(read(datagram)).name(in: datagram.span) == nil)
        let name = try #require(read([0, 0, 0, 3, 3, 97, 46, 98, 1, 0]))
        #expect(name.name(in: datagram.span.extracting(first: 9)) == nil)
    }

    @Test func `a name of no bytes counts as 0.0.0.0, as in replies`() throws {
        let datagram: [UInt8] = [0, 0, 0, 3, 0, 0, 53]
        let header = try #require(read(datagram))
        #expect(header.address?.description == "0.0.0.0")
        #expect(header.port == 53)
        #expect(header.length == 7)
        #expect(header.name(in: datagram.span) == nil)
    }

    @Test func `the reserved bytes may be anything`() {
        #expect(read([255, 1, 0, 1, 192, 0, 2, 1, 1, 187]) == read([0, 0, 0, 1, 192, 0, 2, 1, 1, 187]))
        #expect(read([255, 1, 0, 1, 192, 0, 2, 1, 1, 187]) != nil)
    }

    @Test func `a datagram that ends within its header has none`() {
        let datagrams: [[UInt8]] = [
            [0, 0, 0, 1, 192, 0, 2, 1, 1, 187],
            [0, 0, 0, 4, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 53],
            [0, 0, 0, 3, 3, 97, 46, 98, 1, 0],
            [0, 0, 0, 3, 0, 0, 53],
        ]
        for datagram in datagrams {
            for length in datagram.indices { #expect(read(Array(datagram.prefix(length))) == nil) }
            #expect(read(datagram)?.length == datagram.count)
        }
    }

    @Test func `an address type that SOCKS5 does not know makes no header`() {
        for type in 0...255 as ClosedRange<UInt8> where ![1, 3, 4].contains(type) {
            #expect(read([0, 0, 0, type] + [UInt8](repeating: 0, count: 300)) == nil)
        }
    }

    @Test func `what is written is read back`() throws {
        let name = try #require(HostName(String(repeating: "n", count: 255)))
        let written = bytes(DatagramHeader(fragment: 127, destination: Endpoint(host: .name(name), port: 4660)))
        let header = try #require(read(written))
        #expect(header.name(in: written.span) == name)
        #expect(header.port == 4660)
        #expect(header.fragment == 127)
        #expect(header.length == 262)
    }

    private func bytes(_ header: DatagramHeader) -> [UInt8] {
        (0..<header.count).map { header.bytes[$0] }
    }

    private func read(_ datagram: [UInt8]) -> DatagramHeader.Received? {
        DatagramHeader.read(datagram.span)
    }

    @Test func `There is room for the longest header in C`() throws {
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(
            contentsOf: package.appending(path: "Sources/CPreload/include/UDPEncapsulation.h"), encoding: .utf8)
        #expect(text.contains("UDP_LONGEST_HEADER = \(DatagramHeader.capacity),"))
    }
}
