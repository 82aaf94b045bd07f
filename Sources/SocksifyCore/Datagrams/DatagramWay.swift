import CPreload
import SharedTables

extension Datagram {
    /// Runs `body` with the way of a relayed socket, if the option is of that; else the call passes.
    static func withWay(
        of socket: Socket, by option: SocketOption, _ datagrams: UnsafePointer<Datagrams>,
        _ body: (inout WayOptions) -> HookResult
    ) -> HookResult {
        let table = datagrams.pointee.relayed
        guard WayOptions.has(SocketOptions.remembered(option)),
            case .slot(let slot) = table.look(for: socket.descriptor)
        else { return .pass }
        guard let record = table.enter(slot) else { return .failed(.outOfBuffers) }
        defer { table.leave(slot) }
        return body(&record.pointee.way)
    }
}
