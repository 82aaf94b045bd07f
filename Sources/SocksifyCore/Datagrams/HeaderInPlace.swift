import Addressing
import SOCKS5

/// A header that is written where it is sent from; there is room for the longest.
struct HeaderInPlace: ByteSink {
    private let start: UnsafeMutablePointer<UInt8>
    private var count = 0

    init(start: UnsafeMutablePointer<UInt8>) {
        self.start = start
    }

    mutating func append(_ byte: UInt8) {
        guard count < DatagramHeader.capacity else { return }
        start[count] = byte
        count += 1
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }
}
