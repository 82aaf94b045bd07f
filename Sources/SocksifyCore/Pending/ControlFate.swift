/// What becomes of an association's control connection.
enum ControlFate {
    case kept
    case closed
    /// The program has closed the socket: what waited for the association has been sent, and is not to be lost.
    case lingers
}
