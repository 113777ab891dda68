/// What a queue does by itself before a micro-op that touches what an earlier one of the queue wrote
/// and that is not visible yet.
public enum Interlock: String, Sendable, Hashable, CaseIterable {
  /// Nothing: a barrier on the queue has to stand between the two.
  case none
  /// Nothing, and two micro-ops that work through the very same tile element by element need no
  /// barrier where the second cannot overtake the first: both occupy the unit for at least the longest
  /// latency of its classes.
  case stream
  /// It waits until the earlier result is visible.
  case full
}
