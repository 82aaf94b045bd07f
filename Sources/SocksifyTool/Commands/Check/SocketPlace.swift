import Addressing
import Glibc

/// Where a first proxy is, after its name was looked up.
enum SocketPlace {
    case network(IPAddress, port: UInt16)
    case unixSocket([UInt8])
}
