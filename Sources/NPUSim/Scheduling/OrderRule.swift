/// How the next micro-op is chosen among those that could start.
public struct OrderRule: Sendable, Hashable {
  /// Which of the micro-ops that a queue could start goes first.
  public enum Priority: Sendable, Hashable {
    /// The one that was written first.
    case written
    /// The one with the longest path to the end.
    case longestPath
    /// The one with the longest path to the end in the best order so far, what a queue does one after
    /// another included.
    case improved
  }

  /// What a core has of HBM while an order is made.
  public enum Company: Sendable, Hashable {
    /// An even part, as all cores use it all the time.
    case shared
    /// All of it: cores that end late, or load seldom, have little company.
    case alone
  }

  public var priority: Priority
  /// How far behind the first micro-op that was not chosen yet others may be chosen; `nil` without
  /// limit.
  public var window: Int?
  /// Cycles that a queue may stand idle for a micro-op that goes first.
  public var slack: Int64
  /// Queues that keep their written order.
  public var kept: [Queue]
  public var hbm: Company

  init(
    _ priority: Priority, window: Int? = nil, slack: Int64 = 0, kept: [Queue] = [],
    hbm: Company = .shared
  ) {
    self.priority = priority
    self.window = window
    self.slack = slack
    self.kept = kept
    self.hbm = hbm
  }

  /// Every queue keeps its order, and only what goes on between them is found: each runs ahead as far
  /// as conflicts let it.
  static let runAhead = OrderRule(.written, kept: Queue.allCases)

  /// What reports call it.
  public var name: String {
    var parts: [String] = []
    switch priority {
    case .written: parts.append(self == .runAhead ? "queues as written" : "written first")
    case .longestPath: parts.append("longest path")
    case .improved: parts.append("longest path, improved")
    }
    if !kept.isEmpty && self != .runAhead {
      parts.append("\(kept.map(\.name).joined(separator: " and ")) as written")
    }
    if let window { parts.append("window \(window)") }
    if slack > 0 { parts.append("slack \(slack)") }
    if hbm == .alone { parts.append("HBM alone") }
    return parts.joined(separator: ", ")
  }
}
