/// Adds a word to a checksum. A wrong checksum shows that the words were half written, or changed by another process.
/// It is not cryptographic.
public func mixed(_ word: UInt64, into check: UInt64) -> UInt64 {
    let product = (check ^ word) &* 0x9e37_79b9_7f4a_7c15
    return product ^ product >> 32
}
