/// Limits for the answers of proxies (`tcp_read_time_out`), in milliseconds.
enum AnswerTime {
    /// For tests in which no answer may be late: more than any machine takes, however busy.
    static let ample = "tcp_read_time_out 600000"

    /// For tests in which one proxy is silent and the others must not be late. The first is soon over; the others are for
    /// a machine that is too busy for it, which a test has to see by more than that it failed.
    static let growing = [300, 3_000, 30_000]
}
