/// What becomes of the order in which the micro-ops of a sequential program were written.
public enum QueueOrder: Int, Sendable, Hashable, CaseIterable {
  /// It stays.
  case written
  /// The fastest that is found takes its place; where none is faster, it stays.
  case found

  /// As lines of fields and texts have it.
  public var name: String { "\(self)" }

  /// What the field of a schedule is called.
  public static let field = "queue.order"
}
