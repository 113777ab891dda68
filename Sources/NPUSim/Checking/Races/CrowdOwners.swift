/// Whose words lie in the crowds of a core: for each byte the last write, and which buffers were ever
/// written there.
struct CrowdOwners {
  private struct Written: Hashable {
    var crowd: Int
    var buffer: UInt32
  }

  /// What the numbers in ``last`` stand for, from 1 on.
  private var writes: [LifetimeJudgement.Holder] = []
  private var last: [Int: PaintMap] = [:]
  private var written: [Written: PaintMap] = [:]

  /// Notes a write through a buffer.
  mutating func write(_ crowd: Crowd, _ place: Int, crowd own: Int, op: Int, buffer: UInt32) {
    writes.append((op, buffer))
    let unpainted = PaintMap(rows: crowd.rows, columns: crowd.columns)
    last[own, default: unpainted].paint(
      crowd.rects[place], UInt32(truncatingIfNeeded: writes.count))
    written[Written(crowd: own, buffer: buffer), default: unpainted].paint(crowd.rects[place], 1)
  }

  /// The latest of the last writes, through another buffer, of bytes of a rectangle that were written
  /// through `buffer` before.
  func clobberer(of rect: CrowdRect, crowd: Int, buffer: UInt32) -> LifetimeJudgement.Holder? {
    guard let last = last[crowd], let written = written[Written(crowd: crowd, buffer: buffer)]
    else { return nil }
    var found: LifetimeJudgement.Holder?
    last.visit(rect) { number, region in
      guard number > 0, writes[Int(number) - 1].buffer != buffer else { return true }
      let holder = writes[Int(number) - 1]
      if let found, found >= holder { return true }
      let isClean = written.visit(region.intersection(rect)) { isWritten, _ in isWritten == 0 }
      if !isClean { found = holder }
      return true
    }
    return found
  }
}
