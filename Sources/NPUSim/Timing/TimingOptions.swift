/// How a program is timed.
public struct TimingOptions: Sendable, Hashable {
  /// Infinite queue depth, and an HBM that serves every transfer alone at min(port, HBM) rate: the
  /// cycles are then the critical path.
  public var uncontended: Bool
  /// Randomises durations; `nil` keeps them.
  public var jitter: Jitter?
  /// Whether the instants of every micro-op are kept (32 bytes for each).
  public var timeline: Bool

  public init(uncontended: Bool = false, jitter: Jitter? = nil, timeline: Bool = false) {
    self.uncontended = uncontended
    self.jitter = jitter
    self.timeline = timeline
  }

  /// Scales every occupancy of a port or unit, every latency and every propagation by a factor of
  /// its own, drawn evenly from `[1 − percent/100, 1 + percent/100]` (never below 0), and rounds.
  ///
  /// The draw depends on the seed, the core and the position of the micro-op alone, so a seed names
  /// one timing. Order stays legal: queues, events, barriers and interlocks hold as ever. The HBM
  /// server keeps its rate. An occupancy above 0 stays above 0.
  public struct Jitter: Sendable, Hashable {
    public var seed: UInt64
    /// Largest deviation in percent, 0 … 1000; values outside are clamped.
    public var percent: Int

    public init(seed: UInt64, percent: Int) {
      self.seed = seed
      self.percent = percent
    }
  }
}
