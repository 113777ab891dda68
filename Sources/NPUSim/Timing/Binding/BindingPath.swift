/// The contended chain whose length equals the cycles of a run, summarised.
///
/// Starts at the last instant and walks back: each instant is set by exactly one earlier one, of the
/// same micro-op or of another. The cycles between the two are booked to the micro-op that spends
/// them. The shares add up to the cycles of the run.
public struct BindingPath: Sendable, Hashable {
  /// What the cycles of a link are spent on.
  public enum Cause: String, Sendable, CaseIterable, Hashable {
    /// The port or unit works.
    case occupancy
    /// HBM serves the transfer, longer than its port needs.
    case hbm
    /// Results travel until they are visible.
    case latency
    /// A set's firing travels to its wait.
    case propagation
    /// The sequencer dispatches one micro-op after the other.
    case dispatch
    /// The cores are joined.
    case join
  }

  /// The cycles that one kind of work on one queue adds to the chain for one cause.
  public struct Share: Sendable, Hashable {
    /// `nil` for what is no single queue's: dispatch, joins, and the remainder.
    public var queue: Queue?
    /// The key of the transfer path or vector class, `matmul`, `set`, `wait`, `barrier`, `op` for
    /// opaque micro-ops, or `others` for what the largest shares leave.
    public var work: String
    /// `nil` for the remainder.
    public var cause: Cause?
    public var cycles: Int64
  }

  /// The largest shares first; at most ``limit``, the last one the remainder.
  public var shares: [Share]

  /// Most shares that are told apart.
  public static let limit = 10

  /// The chain of a run of `program`; `result` must have a timeline, and come from a run with
  /// `options`. Randomised runs have no such chain. `nil` otherwise, and for an empty run.
  public static func of(_ program: Program, _ result: TimingResult, _ options: TimingOptions)
    throws(NPUError) -> BindingPath?
  {
    guard let timeline = result.timeline, options.jitter == nil, result.cycles > 0 else {
      return nil
    }
    var walk = BindingWalk(
      program, try PriceTable(program), timeline, result.services,
      isUncontended: options.uncontended)
    guard walk.run(from: result.cycles) else {
      throw NPUError(.internal, "the chain that binds the run breaks off")
    }
    return BindingPath(shares: summarise(walk.shares, of: result.cycles))
  }

  private static func summarise(_ all: [Share], of cycles: Int64) -> [Share] {
    var shares = all
    shares.sort {
      $0.cycles != $1.cycles
        ? $0.cycles > $1.cycles
        : ($0.queue?.index ?? Queue.count, $0.work, $0.cause?.rawValue ?? "")
          < ($1.queue?.index ?? Queue.count, $1.work, $1.cause?.rawValue ?? "")
    }
    guard shares.count > limit else { return shares }
    let kept = shares.prefix(limit - 1)
    let rest = cycles - kept.reduce(0) { $0 + $1.cycles }
    return kept + [Share(queue: nil, work: "others", cause: nil, cycles: rest)]
  }
}
