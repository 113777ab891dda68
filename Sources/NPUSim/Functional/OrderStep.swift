/// One half of a micro-op in an explicit order of execution.
///
/// A micro-op reads all its sources at its read step and writes all its results at its write step.
public struct OrderStep: Sendable, Hashable {
  /// Which half it is.
  public enum Kind: UInt8, Sendable, Hashable {
    /// Results reach memory.
    case write
    /// Sources are read and results computed.
    case read
  }

  public var core: UInt32
  /// Index in the core's list.
  public var op: UInt32
  public var kind: Kind

  public init(core: Int, op: Int, kind: Kind) {
    self.core = UInt32(truncatingIfNeeded: core)
    self.op = UInt32(truncatingIfNeeded: op)
    self.kind = kind
  }
  /// The order in which the data micro-ops of a program read and write, given when they do.
  ///
  /// At one instant results reach memory before sources are read, so that what becomes visible at an
  /// instant is seen by what starts then. A micro-op that reads and writes at one instant comes with
  /// the reads, in program order.
  ///
  /// - Parameter instants: when a micro-op reads its sources, and when its results are in memory, by
  ///   core and index in the core's list; not asked for micro-ops that synchronise.
  public static func order(
    _ program: Program, instants: (_ core: Int, _ op: Int) -> (read: Int64, write: Int64)
  ) -> [OrderStep] {
    var timed: [(instant: Int64, phase: UInt8, step: OrderStep)] = []
    timed.reserveCapacity(2 * program.opCount)
    for (core, records) in program.cores.enumerated() {
      for (op, record) in records.enumerated() where record.kind == .data {
        let (read, write) = instants(core, op)
        timed.append((read, 1, OrderStep(core: core, op: op, kind: .read)))
        timed.append((write, write > read ? 0 : 1, OrderStep(core: core, op: op, kind: .write)))
      }
    }
    timed.sort { a, b in
      if a.instant != b.instant { return a.instant < b.instant }
      if a.phase != b.phase { return a.phase < b.phase }
      if a.step.core != b.step.core { return a.step.core < b.step.core }
      if a.step.op != b.step.op { return a.step.op < b.step.op }
      return a.step.kind == .read && b.step.kind == .write
    }
    return timed.map(\.step)
  }
}
