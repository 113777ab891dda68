/// What a kind of matrix unit charges for a product. Timing, bounds and the choice of schedules know
/// no more of it.
///
/// A new kind is a case of ``MachineConfiguration/MatrixUnit/Kind``, a line in ``pricing`` and a file
/// like ``CubePricing``'s.
public protocol MatrixPricing: Sendable {
  /// Cycles that an `m × k` by `k × n` product occupies the unit, its overhead among them; `nil` beyond
  /// 2^63.
  func occupancy(m: Int64, k: Int64, n: Int64) -> Int64?

  /// Multiply-accumulates that the unit makes in some cycles at best; no cycles without limits.
  var peak: (macs: Int64, cycles: Int64) { get }
}

extension MatrixPricing {
  /// Cycles of an `m × k` by `k × n` product that is made in tiles of at most the sizes given, each by
  /// a product of its own.
  public func occupancy(
    m: Int, k: Int, n: Int, inTilesOf tile: (m: Int, k: Int, n: Int)
  ) -> Double {
    let sizes = (m: max(1, tile.m), k: max(1, tile.k), n: max(1, tile.n))
    var cycles = 0.0
    // Each extent is so many whole tiles, and what is left of it.
    for corner in 0..<8 {
      func part(_ extent: Int, _ size: Int, _ bit: Int) -> (size: Int64, count: Int) {
        if corner & bit == 0 { return (Int64(size), extent / size) }
        return (Int64(extent % size), extent % size > 0 ? 1 : 0)
      }
      let (rows, depth, columns) = (part(m, sizes.m, 1), part(k, sizes.k, 2), part(n, sizes.n, 4))
      let count = rows.count * depth.count * columns.count
      guard count > 0 else { continue }
      let one = occupancy(m: rows.size, k: depth.size, n: columns.size) ?? .max
      cycles += Double(count) * Double(one)
    }
    return cycles
  }
}

extension MachineConfiguration.MatrixUnit {
  /// The prices of the unit's kind.
  public var pricing: any MatrixPricing {
    switch kind {
    case .cube: CubePricing(self)
    case .systolic: SystolicPricing(array, overhead: overhead)
    }
  }
}
