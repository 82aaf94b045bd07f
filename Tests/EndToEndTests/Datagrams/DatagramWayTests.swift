import TestProxy
import Testing

extension EndToEnd {
    /// Datagram sockets that are bound to a device, or whose datagrams are marked. These settings are for the way to
    /// the destination: the socket reaches the relay as any other does, direct datagrams leave by the device, and the
    /// program sees the values that it has set.
    @Suite struct DatagramWayTests {
        private func run(
            _ name: String, _ target: [String], ending: Ending = .associated(1), configuration: [String] = []
        ) async throws -> [String] {
            try await TestProxy.during { proxy in
                try await DatagramProbe.run(
                    "datagram-way", [name] + target, proxy: (proxy.host, proxy.port), configuration, ending: ending
                ).lines
            }
        }

        @Test(
            arguments: ["device", "number", "connected", "unicast", "later", "controlled", "inherited"],
            [DatagramProbe.Family.ipv4, .ipv6])
        func `The relay is reached, and the program sees what it sees without the library`(
            name: String, family: DatagramProbe.Family
        ) async throws {
            let native = try await CallProbe.run(
                "datagram-way", [name, family == .ipv4 ? "here" : "here6", "0"], library: .absent)
            let lines = try await run(name, EchoTargets.far(family))
            #expect(lines == native.lines)
        }

        @Test(arguments: [DatagramProbe.Family.ipv4, .ipv6])
        func `What goes directly leaves by the device alone`(family: DatagramProbe.Family) async throws {
            let far = try await EchoTargets.far(family)
            let first = #"far: 3 "one" from server"#
            let elsewhere = [
                first, "near: the end", "near: the end", #"far: 10 "in a batch" from server"#, "near: the end",
            ]
            #expect(try await run("elsewhere", far) == elsewhere)
            #expect(try await run("forked", far, ending: .associated(2)) == [first, "near: the end"])
        }

        @Test func `A socket that connects directly afterwards is bound as before`() async throws {
            let lines = [
                #"far: 3 "one" from server"#, "the kernel's 0", "connect 0", "device 'lo', 3 bytes, number its own",
                "in two bytes: EINVAL", "the kernel's 1", "near: two",
            ]
            #expect(try await run("directly", EchoTargets.far(.ipv4)) == lines)
        }

        @Test func `A socket that is connected directly is not led elsewhere`() async throws {
            let lines = ["sendto: ENETUNREACH", "the kernel's 1", "near: two"]
            #expect(try await run("directly-before", EchoTargets.far(.ipv4), ending: .clean) == lines)
        }

        @Test func `Nothing that goes to the relay is marked`() async throws {
            let lines = [
                #"far: 3 "one" from server"#, "mark 7", "the kernel's 0", "another 0", "mark 8", "directly: 0",
                "marked 8",
            ]
            #expect(try await run("unmarked", EchoTargets.far(.ipv4)) == lines)
        }

        @Test func `Questions to name servers are answered`() async throws {
            #expect(try await run("question", ["192.0.2.53", "53"], ending: .clean) == ["answered 1"])
        }

        @Test func `Strangers who may have come by another device are not heard`() async throws {
            let output = try await run(
                "strangers", EchoTargets.far(.ipv4), ending: .associated(2), configuration: ["loopback proxy"])
            let (one, two) = (#"far: 3 "one" from server"#, #"3 "two" from server"#)
            #expect(output.count == 5 && output[1].hasPrefix(#"far: 8 "stranger" from 127.0.0.1"#))
            #expect([output[0]] + output[2...] == [one, "then: \(two)", one, "far: \(two)"])
        }
    }
}
