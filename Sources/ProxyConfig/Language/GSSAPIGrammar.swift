// How a proxy is authenticated with by GSSAPI: `gssapi=none|integrity|confidentiality`, `service=NAME`, `nec` and
// `delegate`, each once and in any order; joined by ampersands in the query of a URL, by spaces behind an entry.

extension ConfigurationParser {
    /// Whether a word or a query begins like one of these.
    func isOfGSSAPI(_ range: Range<Int>) -> Bool {
        text.starts(range, with: "gssapi=") || text.starts(range, with: "service=")
            || isWord(range, "nec") || isWord(range, "delegate")
    }

    /// Whether a word stands there alone, or in front of others.
    private func isWord(_ range: Range<Int>, _ word: StaticString) -> Bool {
        guard text.starts(range, with: word) else { return false }
        let end = range.lowerBound + word.utf8CodeUnitCount
        return end == range.upperBound || text.bytes[end] == UInt8(ascii: "&") || text.bytes[end] == UInt8(ascii: " ")
    }

    /// Reads words that are joined by `separator`; nil, and an error, for anything else.
    mutating func parseGSSAPI(_ range: Range<Int>, separator: UInt8) -> GSSAPISettings? {
        var protection: GSSAPIProtection?
        var service: [UInt8]?
        var (usesNECForm, delegates) = (false, false)
        var rest = range
        var isLast = false
        while !isLast {
            let end = text.first(separator, in: rest)
            isLast = end == nil
            let word = rest.lowerBound..<(end ?? rest.upperBound)
            rest = (isLast ? rest.upperBound : word.upperBound + 1)..<rest.upperBound
            if word.isEmpty, separator == UInt8(ascii: " ") { continue }
            let isRepeated: Bool
            if text.starts(word, with: "gssapi=") {
                let value = (word.lowerBound + 7)..<word.upperBound
                isRepeated = protection != nil
                protection = self.protection(value)
                if protection == nil {
                    fail(.invalid(text.copy(value), .gssapiProtection), at: value)
                    return nil
                }
            } else if text.starts(word, with: "service=") {
                let value = (word.lowerBound + 8)..<word.upperBound
                isRepeated = service != nil
                guard isServiceName(value) else {
                    fail(.invalid(text.copy(value), .serviceName), at: value)
                    return nil
                }
                service = text.copy(value)
            } else if text.equals(word, "nec") {
                isRepeated = usesNECForm
                usesNECForm = true
            } else if text.equals(word, "delegate") {
                isRepeated = delegates
                delegates = true
            } else {
                fail(.unknownGSSAPIWord, at: word)
                return nil
            }
            if isRepeated {
                fail(.repeatedGSSAPIWord, at: word)
                return nil
            }
        }
        guard let protection else {
            fail(.missing(.gssapiProtection), at: range)
            return nil
        }
        var settings = GSSAPISettings(protection: protection, usesNECForm: usesNECForm, delegates: delegates)
        if let service { settings.service = service }
        return settings
    }

    private func protection(_ range: Range<Int>) -> GSSAPIProtection? {
        if text.equals(range, "none") { return GSSAPIProtection.none }
        if text.equals(range, "integrity") { return .integrity }
        if text.equals(range, "confidentiality") { return .confidentiality }
        return nil
    }

    /// The first part of a principal: up to 63 letters, digits, hyphens, underscores and dots.
    private func isServiceName(_ range: Range<Int>) -> Bool {
        guard !range.isEmpty, range.count <= 63 else { return false }
        for index in range where !isNameCharacter(text.bytes[index]) && text.bytes[index] != UInt8(ascii: ".") {
            return false
        }
        return true
    }
}
