extension Script {
    /// What an HTTP proxy answers. The default is an honest one.
    public struct HTTP: Sendable {
        /// The status of the answer. The proxy sends any but 2xx without connecting to the target. nil: the result
        /// of the attempt.
        public var status: Int?
        /// Statuses of responses that are sent before the answer, in the same segment.
        public var interimStatuses: [Int] = []
        /// Lines of the answer's head, sent as they are.
        public var lines: [String] = []
        /// What the lines of all heads end with.
        public var lineEnd = "\r\n"

        public init() {}
    }
}
