import CPreload
import SharedTables

extension Datagram {
    /// Runs `body` with the way of a relayed socket, if the option is of that; else the call passes.
    static func withWay(
        of socket: Socket, by option: SocketOption, _ datagrams: UnsafePointer<Datagrams>,
        _ body: (inout WayOptions) -> Outcome
    ) -> Outcome {
        let table = datagrams.pointee.relayed
        guard WayOptions.has(SocketOptions.remembered(option)),
            case .place(let place) = table.look(for: socket.descriptor)
        else { return .pass }
        guard let record = table.enter(place) else { return .failed(.outOfBuffers) }
        defer { table.leave(place) }
        return body(&record.pointee.way)
    }
}
