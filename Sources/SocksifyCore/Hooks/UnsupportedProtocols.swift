import Addressing
import CKernel
import ProxyConfig

/// Sockets of protocols that no proxy carries. What is sent by them would go around the proxy, so they are not made,
/// unless `other_protocols` allows it.
public enum UnsupportedProtocols {
    /// socket(2)
    public static func make(domain: Int32, type: Int32, protocol: Int32) -> HookResult {
        guard let kind = Kind(domain: domain, type: type, protocol: `protocol`) else { return .pass }
        switch Runtime.state {
        case .unusable: return .failed(kind.error)
        case .short(let errno): return .failed(errno)
        case .ready(let runtime):
            guard runtime.pointee.configuration.blocksOtherProtocols else { return .pass }
            Log.writeOnce(kind.notice, .warning, runtime.pointee.configuration) { line in
                line.append("a socket was refused, because no proxy carries its protocol: ")
                line.append(kind.name)
            }
            return .failed(kind.error)
        }
    }

    /// What becomes of what such a socket sends, or connects to, where a proxy would be asked for another one: it was made
    /// elsewhere, or is allowed. An address that stands for a name means nothing to any network.
    static func send(to peer: SocketAddress, _ runtime: UnsafePointer<Runtime>) -> HookResult {
        guard !runtime.pointee.configuration.blocksOtherProtocols,
            case .real = runtime.pointee.names.meaning(of: peer.address)
        else { return .failed(.networkUnreachable) }
        return .direct(.otherProtocol)
    }

    private enum Kind {
        case raw, packet, icmp, sctp, dccp, udpLite, mptcp, otherProtocol, otherFamily

        /// nil for TCP, UDP, and what never leaves this machine.
        init?(domain: Int32, type: Int32, protocol: Int32) {
            switch domain {
            case AF_UNSPEC, AF_UNIX, AF_NETLINK, AF_KEY, AF_ALG: return nil
            case AF_INET, AF_INET6: self.init(type: type & Kind.typeMask, protocol: `protocol`)
            case AF_PACKET: self = .packet
            default: self = .otherFamily
            }
        }

        private init?(type: Int32, protocol: Int32) {
            let isStream = type == Int32(SOCK_STREAM.rawValue)
            let isDatagram = type == Int32(SOCK_DGRAM.rawValue)
            switch (type, `protocol`) {
            case (Int32(SOCK_RAW.rawValue), _): self = .raw
            case (Int32(SOCK_PACKET.rawValue), _): self = .packet
            case (Int32(SOCK_DCCP.rawValue), _): self = .dccp
            case (_, 0) where isStream || isDatagram: return nil
            case (_, Int32(IPPROTO_TCP)) where isStream: return nil
            case (_, Int32(IPPROTO_UDP)) where isDatagram: return nil
            case (_, Int32(IPPROTO_ICMP)), (_, Int32(IPPROTO_ICMPV6)): self = .icmp
            case (_, Int32(IPPROTO_SCTP)): self = .sctp
            case (_, Int32(IPPROTO_UDPLITE)): self = .udpLite
            case (_, Int32(IPPROTO_MPTCP)): self = .mptcp
            default: self = .otherProtocol
            }
        }

        /// The bits of a type that are none of its flags (SOCK_NONBLOCK, SOCK_CLOEXEC).
        private static var typeMask: Int32 { 0xf }

        /// What programs know of kernels that do not have such sockets, or not for them.
        var error: Errno {
            switch self {
            case .raw, .packet: Errno(EPERM)
            case .icmp: .accessDenied
            case .sctp, .dccp, .udpLite, .mptcp, .otherProtocol: Errno(EPROTONOSUPPORT)
            case .otherFamily: Errno(EAFNOSUPPORT)
            }
        }

        var notice: Log.Notice {
            switch self {
            case .raw: .rawSocket
            case .packet: .packetSocket
            case .icmp: .icmpSocket
            case .sctp: .sctpSocket
            case .dccp: .dccpSocket
            case .udpLite: .udpLiteSocket
            case .mptcp: .mptcpSocket
            case .otherProtocol: .otherProtocol
            case .otherFamily: .otherFamily
            }
        }

        var name: StaticString {
            switch self {
            case .raw: "raw IP"
            case .packet: "packets of a network device"
            case .icmp: "ICMP"
            case .sctp: "SCTP"
            case .dccp: "DCCP"
            case .udpLite: "UDP-Lite"
            case .mptcp: "MPTCP"
            case .otherProtocol: "neither TCP nor UDP"
            case .otherFamily: "another network than IP"
            }
        }
    }
}
