/// Mixes one more word into a check: that of words which belong together, and which a check that does not fit shows to be
/// half written, or changed by somebody else. No secret is in it.
public func mixed(_ word: UInt64, into check: UInt64) -> UInt64 {
    let product = (check ^ word) &* 0x9e37_79b9_7f4a_7c15
    return product ^ product >> 32
}
