/// Why a queue does no work in a cycle. Each idle cycle of a queue has exactly one reason.
public enum StallReason: String, Sendable, CaseIterable, Hashable {
  /// A transfer has started and its own port is done; the chip-wide HBM server is not.
  case hbmShare = "hbm_share"
  /// The next micro-op is a wait that has not passed.
  case waitEvent = "wait_event"
  /// The next micro-op is a barrier that has not started.
  case barrier
  /// The next micro-op touches what an earlier one of this queue wrote and is not visible yet.
  case interlock
  /// The next micro-op is not dispatched, as the sequencer stands before another, full queue.
  case starved
  /// The next micro-op is not dispatched, as the sequencer has not reached it.
  case dispatch
  /// There is no next micro-op.
  case drained

  /// Number of reasons.
  public static let count = 7

  /// Position in ``QueueTiming/stalls``.
  public var index: Int {
    switch self {
    case .hbmShare: 0
    case .waitEvent: 1
    case .barrier: 2
    case .interlock: 3
    case .starved: 4
    case .dispatch: 5
    case .drained: 6
    }
  }
}
