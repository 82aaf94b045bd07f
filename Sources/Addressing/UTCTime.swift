/// A time in UTC, for logs.
public struct UTCTime {
    /// Seconds since 1970, of the years up to 9999.
    private let seconds: Int

    /// - Parameter seconds: since 1970, without leap seconds; clamped to the years 1970 to 9999.
    public init(seconds: Int64) {
        self.seconds = Int(min(max(seconds, 0), 253_402_300_799))
    }

    /// Writes `YYYY-MM-DD hh:mm:ss`.
    public func write(to sink: inout some ByteSink) {
        let (year, month, day) = date
        append(year / 100, to: &sink)
        append(year % 100, to: &sink)
        sink.append("-")
        append(month, to: &sink)
        sink.append("-")
        append(day, to: &sink)
        sink.append(" ")
        append(seconds / 3600 % 24, to: &sink)
        sink.append(":")
        append(seconds / 60 % 60, to: &sink)
        sink.append(":")
        append(seconds % 60, to: &sink)
    }

    private func append(_ number: Int, to sink: inout some ByteSink) {
        sink.append(decimal: number / 10)
        sink.append(decimal: number % 10)
    }

    /// Counts years from March, so that a leap day is the last day of its year, in periods of 400 years, after which
    /// the calendar repeats.
    private var date: (year: Int, month: Int, day: Int) {
        // From 0000-03-01 to 1970-01-01 it is 719,468 days.
        let days = seconds / 86_400 + 719_468
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        )
    }
}
