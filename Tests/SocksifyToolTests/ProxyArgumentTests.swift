import SocksifyTool
import Testing

@Suite struct ProxyArgumentTests {
    @Test(arguments: [
        ("localhost:9050", "localhost:9050"), ("socks5h://h:1", "socks5h://h:1"), ("", ""), ("unix:", "unix:"),
        ("unix:x", "unix:x"), ("/run/proxy.socket", "socks5+unix:///run/proxy.socket"),
        ("unix:/run/proxy.socket", "socks5+unix:///run/proxy.socket"),
        ("unix:///run/proxy.socket", "socks5+unix:///run/proxy.socket"), ("/a b,c?d", "socks5+unix:///a%20b%2cc%3fd"),
    ])
    func whatIsTyped(typed: String, url: String) {
        #expect(String(decoding: proxyURL(Array(typed.utf8)), as: UTF8.self) == url)
    }
}
