import CGSSAPI
import CKernel
import ProxyConfig
import SOCKS5

/// The layers of a stream as bytes, by which the program that takes the place of this one goes on with it.
///
/// For each layer five numbers, the received part of a message, the unread bytes, and the context as the mechanism exports
/// it (RFC 2744 section 5.13).
extension SecurityLayers {
    private static var mark: Int64 { 0x736f_636b_7366_7931 }
    /// No more than a layer can have.
    private static var mostUnread: Int { 16 * SecurityMessage.longest }
    private static var longestContext: Int { 1 << 16 }

    /// Writes all layers. Their contexts are gone then, in this process. False when the mechanism, or `write`, refuses.
    public mutating func export(_ write: (UnsafeRawBufferPointer) -> Bool) -> Bool {
        guard !areEmpty, !areSending, writeNumbers([SecurityLayers.mark, Int64(count), 0, 0, 0], write) else {
            return false
        }
        for index in 0..<count {
            guard let layer = self[index] else { return false }
            var context = gssapi_buffer()
            guard gssapi_export(&layer.pointee.context, &context).major & GSSAPI_ERRORS == 0 else { return false }
            defer { gssapi_release(&context) }
            let numbers: InlineArray<5, Int64> = [
                Int64(layer.pointee.protection.rawValue), layer.pointee.isLastByteKept ? 1 : 0,
                Int64(layer.pointee.received), Int64(layer.pointee.unread), Int64(context.length),
            ]
            guard writeNumbers(numbers, write),
                write(UnsafeRawBufferPointer(rebasing: layer.pointee.incoming[..<layer.pointee.received])),
                writeUnread(layer, write),
                write(UnsafeRawBufferPointer(start: context.value, count: context.length))
            else { return false }
        }
        return true
    }

    private func writeNumbers(_ numbers: InlineArray<5, Int64>, _ write: (UnsafeRawBufferPointer) -> Bool) -> Bool {
        numbers.span.withUnsafeBytes { write($0) }
    }

    private func writeUnread(
        _ layer: UnsafeMutablePointer<SecurityLayer>, _ write: (UnsafeRawBufferPointer) -> Bool
    ) -> Bool {
        var piece = InlineArray<1024, UInt8>(repeating: 0)
        while layer.pointee.unread > 0 {
            let count = withUnsafeMutableBytes(of: &piece) { layer.pointee.copy(to: $0) }
            let isWritten = withUnsafeBytes(of: &piece) { write(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            guard count > 0, isWritten else { return false }
            layer.pointee.drop(count)
        }
        return true
    }

    /// Makes the layers of what `export` has written; nil for anything else.
    ///
    /// - Parameter read: fills the room; false where there are fewer bytes.
    public static func `import`(
        _ read: (UnsafeMutableRawBufferPointer) -> Bool
    ) -> UnsafeMutablePointer<SecurityLayers>? {
        guard gssapi_load({ dlopen($0, $1) }) == 0, let layers = make() else { return nil }
        if fill(layers, read) { return layers }
        discard(layers)
        return nil
    }

    private static func fill(
        _ layers: UnsafeMutablePointer<SecurityLayers>, _ read: (UnsafeMutableRawBufferPointer) -> Bool
    ) -> Bool {
        guard let head = numbers(read), head[0] == mark, head[1] > 0, head[1] <= 8 else { return false }
        for _ in 0..<head[1] {
            guard let numbers = numbers(read), let octet = UInt8(exactly: numbers[0]),
                let protection = GSSAPIProtection(rawValue: octet),
                (0...Int64(SecurityMessage.longest)).contains(numbers[2]),
                (0...Int64(mostUnread)).contains(numbers[3]), (1...Int64(longestContext)).contains(numbers[4]),
                layers.pointee.add(protection), let layer = layers.pointee.last
            else { return false }
            layer.pointee.isLastByteKept = numbers[1] != 0
            layer.pointee.received = Int(numbers[2])
            guard read(UnsafeMutableRawBufferPointer(rebasing: layer.pointee.incoming[..<layer.pointee.received])),
                layer.pointee.inherit(Int(numbers[3]), read), readContext(layer, Int(numbers[4]), read)
            else { return false }
            layer.pointee.stage = .established
        }
        return true
    }

    private static func numbers(_ read: (UnsafeMutableRawBufferPointer) -> Bool) -> InlineArray<5, Int64>? {
        var numbers = InlineArray<5, Int64>(repeating: 0)
        return withUnsafeMutableBytes(of: &numbers) { read($0) } ? numbers : nil
    }

    private static func readContext(
        _ layer: UnsafeMutablePointer<SecurityLayer>, _ length: Int, _ read: (UnsafeMutableRawBufferPointer) -> Bool
    ) -> Bool {
        let mapped = kernel_map(length)
        guard mapped >= 0, let start = UnsafeMutableRawPointer(bitPattern: mapped) else { return false }
        defer { kernel_unmap(start, length) }
        guard read(UnsafeMutableRawBufferPointer(start: start, count: length)) else { return false }
        let status = gssapi_import(gssapi_buffer(length: length, value: start), &layer.pointee.context)
        return status.major & GSSAPI_ERRORS == 0
    }
}
