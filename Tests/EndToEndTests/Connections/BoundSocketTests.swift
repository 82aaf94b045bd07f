import Testing

extension EndToEnd {
    /// A bound socket that the library replaces: the new socket must have its port.
    @Suite struct BoundSocketTests {
        /// Without SO_REUSEADDR, so two sockets cannot have the port, unless their families do not overlap.
        @Test(arguments: FamilyTests.Place.allCases)
        func `A port that nobody else may have goes with the socket`(place: FamilyTests.Place) async throws {
            let output = try await place.run("bound", [FarSide.ipv4, FarSide.echoPort])
            #expect(output.lines == ["connect 0", "the same port", "echoed"], "\(output)")
        }
    }
}
