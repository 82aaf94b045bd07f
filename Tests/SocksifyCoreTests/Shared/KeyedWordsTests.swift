import Synchronization
import Testing

@testable import SocksifyCore

@Suite struct KeyedWordsTests {
    @Test func `a word is found by its key once somebody has made it`() throws {
        let words = keyedWords()
        #expect(words.word(of: 7, isMade: false) == nil)
        let word = try #require(words.word(of: 7, isMade: true))
        #expect(word.pointee.load(ordering: .relaxed) == 0)
        word.pointee.store(5, ordering: .relaxed)
        #expect(words.word(of: 7, isMade: false)?.pointee.load(ordering: .relaxed) == 5)
        #expect(words.word(of: 7, isMade: true)?.pointee.load(ordering: .relaxed) == 5)
    }

    @Test func `keys that begin at the same slot have words of their own`() {
        let words = keyedWords(capacity: 64)
        for key in 1...32 as ClosedRange<UInt64> {
            words.word(of: key * 64, isMade: true)?.pointee.store(key, ordering: .relaxed)
        }
        for key in 1...32 as ClosedRange<UInt64> {
            #expect(words.word(of: key * 64, isMade: false)?.pointee.load(ordering: .relaxed) == key)
        }
        // No more slots are looked at.
        #expect(words.word(of: 33 * 64, isMade: true) == nil)
    }

    @Test func `the search goes round at the end`() {
        let words = keyedWords(capacity: 64)
        for key in [63, 127, 191] as [UInt64] {
            words.word(of: key, isMade: true)?.pointee.store(key, ordering: .relaxed)
        }
        #expect(words.word(of: 191, isMade: false)?.pointee.load(ordering: .relaxed) == 191)
        // The slots at the beginning are taken by them.
        #expect(words.word(of: 0x1_0000, isMade: true) != nil)
        #expect(words.word(of: 127, isMade: false)?.pointee.load(ordering: .relaxed) == 127)
    }
}
