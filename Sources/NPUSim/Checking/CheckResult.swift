/// What a check looks for, and how much of it is kept.
public struct CheckOptions: Sendable, Hashable {
  /// Also judge what is correct but wasteful (the P codes). Only done for a program without errors.
  public var lints: Bool
  /// Most racing pairs kept in ``CheckResult/races``; all are counted. Where not all could be looked
  /// at, one of each further kind is kept too.
  public var raceLimit: Int
  /// Most racing pairs looked at before counting stops: a program without any order has
  /// quadratically many.
  public var enumerationLimit: Int
  /// The number of pieces that the others of a group of overlapping tiles may cut a tile into, on
  /// average, before the group is judged by its rectangles instead of by pieces. Decides what a check
  /// costs, never what it says.
  public var pieceLimit: Int

  public init(
    lints: Bool = false, raceLimit: Int = 10_000, enumerationLimit: Int = 1 << 22,
    pieceLimit: Int = 16
  ) {
    self.lints = lints
    self.raceLimit = raceLimit
    self.enumerationLimit = enumerationLimit
    self.pieceLimit = pieceLimit
  }

  var budget: RectPartition.Budget { RectPartition.Budget(cells: max(0, pieceLimit)) }
}

/// The verdict on a program's schedule.
public struct CheckResult: Sendable, Hashable {
  /// Everything found, errors first.
  public var findings: [Finding]
  /// What was judged.
  public var proof: Proof
  /// Unordered conflicting pairs, at most ``CheckOptions/raceLimit``, by core and micro-op.
  public var races: [Race]
  /// All unordered conflicting pairs, each counted once for each kind.
  public var raceCount: Int
  /// Micro-ops that read a byte which no ordered earlier write initialises.
  public var uninitialisedReads: [Finding.Site]

  /// Whether no finding is an error.
  public var isClean: Bool { !findings.contains { $0.severity == .error } }
}

/// What a check covered: with no error found, the program is free of races, uninitialised reads and
/// deadlocks for every timing of the machine's queues.
public struct Proof: Sendable, Hashable {
  /// Micro-ops judged, over all cores.
  public var microOps: Int
  /// Matched pairs of set and wait.
  public var events: Int
  /// Barriers of every kind.
  public var barriers: Int
  public var cores: Int
  /// Whether the claim holds: no error was found and nothing was left out.
  public var isProved: Bool
  /// What was left out of the judgement, and why.
  public var outside: [String]

  /// The claim in one line.
  public var statement: String {
    let amounts = [
      (microOps, "micro-op"), (events, "event"), (barriers, "barrier"), (cores, "core"),
    ]
    let amount = amounts.map { $0.counted($1) }.joined(separator: ", ")
    return isProved
      ? "free of races, uninitialised reads and deadlock for every timing: \(amount)"
      : "not proved: \(amount)"
  }
}
