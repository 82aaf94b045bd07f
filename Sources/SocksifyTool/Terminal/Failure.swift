/// Why the command is not run, and the exit status that env(1) gives for it.
public struct Failure: Error, Equatable {
    /// 125 for an error of socksify, 126 for a command that cannot be run, 127 for a missing one.
    public var status: Int32
    /// Lines for the user, without the name of the tool.
    public var messages: [String]

    public init(status: Int32, _ messages: [String]) {
        self.status = status
        self.messages = messages
    }

    public static func own(_ message: String) -> Failure { Failure(status: 125, [message]) }
    public static func cannotExecute(_ message: String) -> Failure { Failure(status: 126, [message]) }
    public static func notFound(_ message: String) -> Failure { Failure(status: 127, [message]) }
}
