import Addressing
import ProxyConfig
import Testing

/// The text of each reason, and its place in the file.
@Suite struct ReasonTextTests {
    private let text = """
        loopback direct
        localnet 172.16.0.0/12
        udp direct
        bind block
        [ProxyList]
        socks5 10.0.0.1 1080
        [Proxies corp]
        socks5 10.0.0.2 1080
        [Rules]
        direct host www.a.test,.b.test,*.c.* port 22,80-90 proto tcp
        block unreachable net 10.0.0.0/8,2001:db8::1 command udp
        proxy corp host d.test
        """

    private func assemble(_ variables: [String: String] = ["SOCKSIFY_CONF": "/f"]) -> ConfigurationAssembly {
        ConfigurationAssembly(
            ConfigurationSearch.Environment { variables["\($0)"].map { Array($0.utf8) } }, program: { nil },
            read: { path in
                path == Array("/f".utf8)
                    ? .success(FileText(Array(text.utf8), isReadableByOthers: false)) : .failure(.absent(errno: 2))
            })
    }

    private func words(_ reason: Reason) -> String {
        var bytes: [UInt8] = []
        assemble().parsed.configuration.write(reason, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func place(_ reason: Reason, _ assembly: ConfigurationAssembly) -> String {
        var bytes: [UInt8] = []
        assembly.places.write(placeOf: reason, behind: ", at ", to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(
        arguments: [
            (.rule(0), "a rule says: direct host www.a.test,.b.test,*.c.* port 22,80-90 proto tcp"),
            (.rule(1), "a rule says: block unreachable net 10.0.0.0/8,2001:db8::1 command udp"),
            (.rule(2), "a rule says: proxy corp host d.test"), (.localNetwork(0), "a localnet says so"),
            (.unspecifiedAddress, "this is the unspecified address"),
            (.reservedAddress, "this reserved address has no name"),
            (.loopback, "this is an address of this machine itself (loopback)"),
            (.multicast, "this is a multicast or broadcast address"),
            (.udpPolicy, "the keyword udp decides about datagrams"),
            (.listenerPolicy, "the keyword bind decides"),
            (.dnsMode, "the keyword dns decides about names"), (.defaultChain, "no rule or setting says otherwise"),
        ] as [(Reason, String)])
    func `Each reason has its words`(reason: Reason, words: String) {
        #expect(self.words(reason) == words)
    }

    @Test(
        arguments: [
            (.rule(1), ", at /f:11:1"), (.localNetwork(0), ", at /f:2:10"), (.loopback, ", at /f:1:1"),
            (.udpPolicy, ", at /f:3:1"), (.defaultChain, ", at /f:5:1"), (.multicast, ""), (.dnsMode, ""),
        ] as [(Reason, String)])
    func `It has the place of its line, if there is one`(reason: Reason, place: String) {
        #expect(self.place(reason, assemble()) == place)
    }

    @Test func `What is no rule of the file has the place of its option`() {
        let assembly = assemble(["SOCKSIFY_CONF": "/f", "SOCKSIFY_DIRECT": "a,b", "SOCKSIFY_PROXY": "10.0.0.9"])
        #expect(place(.rule(1), assembly) == ", at --direct or SOCKSIFY_DIRECT")
        #expect(place(.rule(2), assembly) == ", at /f:10:1")
    }
}
