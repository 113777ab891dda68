/// What a `set` does to an event that is still set.
public enum EventOverwrite: Sendable, Hashable {
  /// Nothing that a program may rely on: an event is one bit, and the second set may be lost.
  case undefined
  /// It waits until the event's wait has taken the first one.
  case blocks
  /// The sets are counted, up to so many that no wait has taken yet; one more is undefined.
  case counts(Int)

  /// Sets of one event that may stand untaken at once; `nil` where one more would wait.
  public var capacity: Int? {
    switch self {
    case .undefined: 1
    case .blocks: nil
    case .counts(let most): most
    }
  }
}
