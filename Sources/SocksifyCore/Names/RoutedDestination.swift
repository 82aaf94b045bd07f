import Addressing
import CKernel
import FakeDNS
import ProxyConfig

/// The route of traffic to an address, by the rules for its name and for the address itself.
enum RoutedDestination {
    /// Direct, to that address.
    case direct(Reason)
    /// Direct, to the name with this number. The program only has a reserved address, so that this machine must resolve
    /// the name.
    case directToName(UInt32, Reason)
    case refuse(Errno)
    /// Through a chain of `Configuration.lists[list]`, to the program's destination or its `dnat` replacement.
    case proxy(list: Int, address: IPAddress, port: UInt16)
    /// Through a chain of the list, to the name with this number, which the last proxy resolves.
    case proxyToName(list: Int, UInt32)

    /// - Parameter command: `.connect` or `.udp`.
    static func of(
        _ address: IPAddress, port: UInt16, _ command: Rule.Command, _ names: borrowing Names
    ) -> RoutedDestination {
        switch names.meaning(of: address) {
        case .name(let number): return ofName(number, port: port, command, names)
        case .real: break
        }
        guard let number = LocalNames.number(of: address, names), let name = names.name(of: number)
        else { return of(address, port: port, name: Span(), command, names) }
        return of(address, port: port, name: name.bytes, command, names)
    }

    private static func of(
        _ address: IPAddress, port: UInt16, name: Span<UInt8>, _ command: Rule.Command,
        _ names: borrowing Names
    ) -> RoutedDestination {
        let decision =
            command == .udp
            ? names.configuration.datagramDecision(to: address, port: port, name: name)
            : names.configuration.streamDecision(to: address, port: port, name: name)
        switch decision.outcome {
        case .direct: return .direct(decision.reason)
        case .refuse(let refusal): return .refuse(Errno(refusal.error))
        case .proxy(let list, let address, let port): return .proxy(list: list, address: address, port: port)
        }
    }

    private static func ofName(
        _ number: UInt32, port: UInt16, _ command: Rule.Command, _ names: borrowing Names
    ) -> RoutedDestination {
        guard let name = names.name(of: number) else { return .refuse(.hostUnreachable) }
        let decision = names.configuration.nameDecision(name.bytes, port: port, command: command)
        switch decision.outcome {
        case .direct: return .directToName(number, decision.reason)
        case .refuse(let refusal): return .refuse(Errno(refusal.error))
        case .proxy(let list): return .proxyToName(list: list, number)
        }
    }
}

extension Errno {
    fileprivate init(_ error: RefusalError) {
        self =
            switch error {
            case .connectionRefused: .connectionRefused
            case .hostUnreachable: .hostUnreachable
            case .networkUnreachable: .networkUnreachable
            }
    }
}
