import Addressing
import Glibc

/// Where a first proxy is, after its name was looked up.
enum ProxySocketAddress {
    case network(IPAddress, port: UInt16)
    case unixSocket([UInt8])
}
