/// A systolic array: a product takes its turns by folds, docs/machine.md, "Prices".
///
/// The forms are those of SCALE-Sim 3.0.0, which counts a
/// fold until its last product is made, and prints the number of the last cycle, counted from 0: one
/// less than the occupancy here.
public struct SystolicPricing: MatrixPricing {
  private let array: SystolicArray
  private let overhead: Int64

  init(_ array: SystolicArray, overhead: Int64) {
    self.array = array
    self.overhead = overhead
  }

  public func occupancy(m: Int64, k: Int64, n: Int64) -> Int64? {
    let (rows, columns) = (Int64(array.rows), Int64(array.columns))
    // The extents that are folded over rows and columns, and the one that streams through a fold.
    let (down, across, stream) =
      switch array.dataflow {
      case .outputStationary: (m, n, k)
      case .weightStationary: (k, n, m)
      case .inputStationary: (k, m, n)
      }
    guard down > 0, across > 0, stream > 0 else { return overhead }
    // The last operands reach the far corner; what stays is shifted in first, a row a cycle.
    let fill = rows + columns - 2 + (array.dataflow == .outputStationary ? 0 : rows)
    let overlap = min(array.foldOverlap, fill)
    let (downFolds, acrossFolds) = ((down - 1) / rows + 1, (across - 1) / columns + 1)
    let (folds, isOver) = downFolds.multipliedReportingOverflow(by: acrossFolds)
    let (fold, isLong) = stream.addingReportingOverflow(fill - overlap)
    let (cycles, isMore) = folds.multipliedReportingOverflow(by: fold)
    let (whole, isMost) = cycles.addingReportingOverflow(overlap + overhead)
    return isOver || isLong || isMore || isMost ? nil : whole
  }

  public var peak: (macs: Int64, cycles: Int64) {
    (Int64(array.rows).multipliedClamped(by: Int64(array.columns)), 1)
  }
}
