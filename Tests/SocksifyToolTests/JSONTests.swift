import Foundation
import Testing

@testable import SocksifyTool

@Suite struct JSONTests {
    /// Other JSON readers get the original values.
    @Test func everythingIsReadBack() throws {
        let text = (UInt8(0)..<128).map { String(UnicodeScalar($0)) }.joined() + "é€😀"
        let value = JSON.object([
            (text, .string(text)), ("b", .array([.bool(true), .bool(false), .null, .array([]), .object([])])),
            ("i", .integer(-7)), ("n", .number(1.5)), ("x", .number(.infinity)),
        ])
        let read = try #require(
            JSONSerialization.jsonObject(with: Data(value.text.utf8)) as? [String: Any])
        #expect(read[text] as? String == text)
        let list = try #require(read["b"] as? [Any])
        #expect(list.count == 5 && list[0] as? Bool == true && list[1] as? Bool == false && list[2] is NSNull)
        #expect(read["i"] as? Int == -7 && read["n"] as? Double == 1.5 && read["x"] is NSNull)
    }

    @Test func membersKeepTheirOrder() {
        #expect(JSON.object([("b", .integer(1)), ("a", .integer(2))]).text == "{\"b\": 1, \"a\": 2}")
    }
}
