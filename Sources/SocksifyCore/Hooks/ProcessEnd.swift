/// The end of the process.
public enum ProcessEnd {
    /// Removes what nobody will need.
    public static func clean() {
        SharedTableFile.end()
    }
}
