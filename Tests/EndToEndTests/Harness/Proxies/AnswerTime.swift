/// Limits for the answers of proxies (`tcp_read_time_out`), in milliseconds.
enum AnswerTime {
    /// For tests in which no answer may be late: longer than even a busy machine takes.
    static let ample = "tcp_read_time_out 600000"

    /// For tests in which one proxy is silent and the others must answer in time. The first limit ends soon. The others
    /// are for a machine that is too busy for it; a test repeats with a longer limit only after evidence that a limit
    /// was too short.
    static let growing = [300, 3_000, 30_000]
}
