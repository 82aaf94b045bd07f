import Testing

extension EndToEnd {
    /// A socket that is bound, and in whose place another stands that has to have its port.
    @Suite struct BoundSocketTests {
        /// Without SO_REUSEADDR: so the port is not to be had by two, unless they are of families that do not meet.
        @Test(arguments: FamilyTests.Place.allCases)
        func `A port that nobody else may have goes with the socket`(place: FamilyTests.Place) async throws {
            let output = try await place.run("bound", [FarSide.ipv4, FarSide.echoPort])
            #expect(output.lines == ["connect 0", "the same port", "echoed"], "\(output)")
        }
    }
}
