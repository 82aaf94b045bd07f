import Testing

/// How a probe must end. By default: status 0, nothing on standard error, and no descriptor open that the probe did not
/// open itself.
struct Ending: Sendable {
    enum Errors: Sendable {
        case none
        /// Exactly these lines, each after "socksify: ".
        case lines([String])
        /// One or more lines, all of the library; the case compares their text.
        case log
        /// Anything, for the reason given.
        case any(because: String)
    }

    enum Report: Sendable {
        /// Every process that ends leaves a report, and at least one ends.
        case required
        /// No probe ends by itself, for the reason given: other programs run, or the probe is killed.
        case absent(because: String)
    }

    /// The exit status; nil: the case compares it.
    var status: Int? = 0
    var errors = Errors.none
    var report = Report.required
    /// The number of internal connections that a process may have: one for each UDP association. It stays open as long
    /// as the socket, and a moment longer.
    var associations = 0

    /// The library logs nothing.
    static let clean = Ending()
    /// The library logs lines, which the case compares.
    static let logging = Ending(errors: .log)
    /// The library logs exactly these lines.
    static func logging(_ lines: String...) -> Ending { Ending(errors: .lines(lines)) }
    /// The process may have the connections of `count` associations.
    static func associated(_ count: Int) -> Ending { Ending(associations: count) }
    /// Any command, which may run probes; the case compares the output.
    static let command = Ending(
        status: nil, errors: .any(because: "the case compares it"),
        report: .absent(because: "not every command is a probe"))

    /// Fails the test when a run ended in another way.
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
