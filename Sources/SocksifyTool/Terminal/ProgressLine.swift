import Glibc

/// A line on standard error that says what is done now, where a person sees it: on a terminal, and nowhere else.
public final class ProgressLine {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var isShown = false

    public init() {}

    public func show(_ text: String) {
        guard isTerminal else { return }
        isShown = true
        // To the beginning of the line, which is then cleared; cut, because a line that wraps is not cleared whole.
        write(Array("\r\u{1b}[K\(text.prefix(width - 1))".utf8), to: STDERR_FILENO)
    }

    public func clear() {
        guard isShown else { return }
        isShown = false
        write(Array("\r\u{1b}[K".utf8), to: STDERR_FILENO)
    }

    private var width: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }
}
