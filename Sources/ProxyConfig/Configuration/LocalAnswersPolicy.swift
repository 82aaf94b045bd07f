/// The policy for DNS answers with an address of this machine, or one that goes direct (`local_answers`).
public enum LocalAnswersPolicy: Equatable, Sendable {
    /// They are dropped.
    case refuse
    /// Programs get them.
    case accept
}
