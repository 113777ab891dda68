import NPUSim

/// What a product costs without its overhead, from the page of the machine alone.
enum MatrixOracle {
  static func cycles(
    _ m: Int, _ k: Int, _ n: Int, _ unit: MachineConfiguration.MatrixUnit
  ) -> Int {
    func up(_ a: Int, _ b: Int) -> Int { (a + b - 1) / b }
    switch unit.kind {
    case .cube:
      return up(m, unit.m0) * up(k, unit.k0) * up(n, unit.n0) * Int(unit.cyclesPerTile)
    case .systolic: return folds(m, k, n, unit.array)
    }
  }

  /// The cycles of a systolic product, cell by cell and fold by fold: in a fold every cell makes a
  /// product a cycle from when its operands have come to it.
  private static func folds(_ m: Int, _ k: Int, _ n: Int, _ array: SystolicArray) -> Int {
    let down = array.dataflow == .outputStationary ? m : k
    let across = array.dataflow == .inputStationary ? m : n
    let stream = [.outputStationary: k, .weightStationary: m][array.dataflow] ?? n
    var end = 0
    for _ in stride(from: 0, to: down, by: array.rows) {
      for _ in stride(from: 0, to: across, by: array.columns) {
        var start = end
        if array.dataflow != .outputStationary { start += array.rows }
        var last = 0
        for row in 0..<array.rows {
          for column in 0..<array.columns { last = max(last, start + row + column + stream) }
        }
        if end > 0 { last -= min(Int(array.foldOverlap), last - end - stream) }
        end = last
      }
    }
    return end
  }
}
