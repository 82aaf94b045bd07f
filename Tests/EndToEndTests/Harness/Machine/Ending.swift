import Testing

/// How a probe must end: unless a case says otherwise with status 0, nothing on standard error, and no descriptor open
/// that it did not open itself.
struct Ending: Sendable {
    enum Errors: Sendable {
        case none
        /// Exactly these lines, each behind "socksify: ".
        case lines([String])
        /// Lines of the library's alone, at least one; what they say is compared by the case.
        case log
        /// Anything, for the reason given.
        case any(because: String)
    }

    enum Report: Sendable {
        /// Every process that ends leaves a report, and at least one ends.
        case required
        /// For the reason given no probe is there at the end: others are, or it is killed.
        case absent(because: String)
    }

    /// nil: what the case compares.
    var status: Int? = 0
    var errors = Errors.none
    var report = Report.required
    /// How many connections of the library's own a process may have: one for each association of UDP, which stays open
    /// as long as the socket, and a moment longer.
    var associations = 0

    /// Without a log.
    static let clean = Ending()
    /// With lines of the library, which the case compares.
    static let logging = Ending(errors: .log)
    /// With exactly these lines of the library.
    static func logging(_ lines: String...) -> Ending { Ending(errors: .lines(lines)) }
    /// With the connections of so many associations.
    static func associated(_ count: Int) -> Ending { Ending(associations: count) }
    /// Any command, in which there may be probes: the case compares what it said.
    static let command = Ending(
        status: nil, errors: .any(because: "the case compares it"),
        report: .absent(because: "not every command is a probe"))

    /// Fails the test when a run did not end so.
    func check(_ run: Run, _ name: String, sourceLocation: SourceLocation) {
        if let status { #expect(run.status == status, "\(name): \(run)", sourceLocation: sourceLocation) }
        let lines = run.error.split(separator: "\n").map(String.init)
        switch errors {
        case .none: #expect(run.error.isEmpty, "\(name): \(run)", sourceLocation: sourceLocation)
        case .lines(let expected):
            #expect(
                lines == expected.map { "socksify: \($0)" }, "\(name): \(run)", sourceLocation: sourceLocation)
        case .log:
            #expect(
                !lines.isEmpty && lines.allSatisfy { $0.hasPrefix("socksify: ") }, "\(name): \(run)",
                sourceLocation: sourceLocation)
        case .any: break
        }
        if case .required = report {
            #expect(!run.reports.isEmpty, "\(name) left no report: \(run)", sourceLocation: sourceLocation)
        }
        for report in run.reports {
            #expect(
                report.descriptors.count <= associations,
                "\(report.program) has open what it did not open: \(report.descriptors)\n\(run)",
                sourceLocation: sourceLocation)
        }
    }
}
