// A configuration is read as lines of words. Nothing here knows what a word means: the grammar files do.
// Every word is a range of positions in one text, so that an error can always say where it stands.

/// A place in a text, both numbers from 1 on.
public struct SourcePosition: Equatable, Sendable {
    /// 0 for a text that has no lines, such as the value of an environment variable.
    public var line: Int
    /// In bytes; 0 where the text as a whole is meant.
    public var column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}
