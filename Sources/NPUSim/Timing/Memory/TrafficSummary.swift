/// Bytes, MACs and vector elements that a program asks for, over all cores.
public struct TrafficSummary: Sendable, Hashable {
  /// Useful bytes read from HBM.
  public private(set) var hbmRead: Int64 = 0
  /// Useful bytes written to HBM.
  public private(set) var hbmWritten: Int64 = 0
  /// The same in whole bursts.
  public private(set) var hbmReadBursts: Int64 = 0
  public private(set) var hbmWrittenBursts: Int64 = 0
  /// Multiply-accumulates, valid extents.
  public private(set) var macs: Int64 = 0
  /// Elements of vector micro-ops.
  public private(set) var vectorElements: Int64 = 0

  public init(_ program: Program) {
    var uses = [Int64](repeating: 0, count: program.works.count)
    for core in program.cores {
      for record in core where record.kind == .data { uses[Int(record.work)] += 1 }
    }
    for (work, count) in zip(program.works, uses) where count > 0 {
      macs = macs.addedClamped(to: work.macs.multipliedClamped(by: count))
      vectorElements = vectorElements.addedClamped(
        to: work.elements.multipliedClamped(by: count))
      guard let path = work.path else { continue }
      let useful = work.usefulBytes.multipliedClamped(by: count)
      let bursts = work.hbmBytes.multipliedClamped(by: count)
      if path.readsHBM {
        hbmRead = hbmRead.addedClamped(to: useful)
        hbmReadBursts = hbmReadBursts.addedClamped(to: bursts)
      }
      if path.writesHBM {
        hbmWritten = hbmWritten.addedClamped(to: useful)
        hbmWrittenBursts = hbmWrittenBursts.addedClamped(to: bursts)
      }
    }
  }
}
