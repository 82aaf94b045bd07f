import CPreload
import SharedTables
import StreamSecurity

/// What a program leaves to the one that takes its place (execve(2)): the contexts of its encapsulated streams, each in an
/// anonymous file whose descriptor the new program inherits, too. The process tree's table has its number.
///
/// Only the process that has made a stream leaves it: a fork of it that executes a program may do so for another purpose,
/// while the process goes on with the stream.
struct StreamHandover {
    let streams: EncapsulatedStreams
    let sockets: PeerTable<SharedMemory>

    /// Before a program is executed in the place of this one.
    ///
    /// - Parameter descriptor: of a stream's socket, which the program will have.
    func leave(_ descriptor: Int32) {
        let socket = Socket(descriptor: descriptor)
        guard let cookie = socket.cookie, let entry = streams.find(cookie: cookie),
            entry.pointee.process == process_own_id(), sockets.file(cookie: cookie) == nil
        else { return }
        let file = Int32(truncatingIfNeeded: kernel_open_memory())
        guard file >= 0 else { return }
        var offset = 0
        let isLeft = EncapsulatedStream(socket: socket, cookie: cookie, streams: streams, entry: entry).export {
            bytes in
            guard let start = bytes.baseAddress, bytes.count > 0 else { return true }
            let written = kernel_write_at(file, start, bytes.count, offset)
            offset += max(written, 0)
            return written == bytes.count
        }
        // The number stays until it is read: without a file the new program's calls fail.
        guard isLeft, kernel_hand_on(file) == 0 else {
            _ = kernel_close(file)
            return
        }
        sockets.insert(file: file, cookie: cookie)
    }

    /// The program has started with a descriptor of an encapsulated stream; or none was executed after all.
    func take(_ descriptor: Int32) {
        guard let cookie = Socket(descriptor: descriptor).cookie, let file = sockets.file(cookie: cookie) else {
            return
        }
        sockets.removeFile(cookie: cookie)
        // Other processes can write the table: it may be any descriptor of the program's.
        guard kernel_is_memory(process_own_id(), file) != 0 else { return }
        var offset = 0
        let layers = SecurityLayers.import { room in
            guard let start = room.baseAddress, room.count > 0 else { return true }
            let read = kernel_read_at(file, start, room.count, offset)
            offset += max(read, 0)
            return read == room.count
        }
        _ = kernel_close(file)
        guard let layers else { return }
        streams.remove(cookie: cookie)
        if !streams.add(layers, cookie: cookie) { SecurityLayers.discard(layers) }
    }
}
