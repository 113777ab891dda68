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

extension MachineConfiguration.MatrixUnit {
  /// The prices of the unit's kind.
  public var pricing: any MatrixPricing {
    switch kind {
    case .cube: CubePricing(self)
    }
  }
}
