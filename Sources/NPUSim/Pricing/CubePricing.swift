/// A cube of `m0 × k0 × n0` MACs: a product takes its turns by unit tiles, docs/machine.md, "Prices".
public struct CubePricing: MatrixPricing {
  private let unit: MachineConfiguration.MatrixUnit

  init(_ unit: MachineConfiguration.MatrixUnit) { self.unit = unit }

  public func occupancy(m: Int64, k: Int64, n: Int64) -> Int64? {
    var cycles = unit.cyclesPerTile
    for (extent, size) in [(m, unit.m0), (k, unit.k0), (n, unit.n0)] {
      let turns = extent <= 0 ? 0 : (extent - 1) / Int64(size) + 1
      let (product, overflow) = cycles.multipliedReportingOverflow(by: turns)
      if overflow { return nil }
      cycles = product
    }
    let (occupancy, overflow) = cycles.addingReportingOverflow(unit.overhead)
    return overflow ? nil : occupancy
  }

  public var peak: (macs: Int64, cycles: Int64) {
    let cells = Int64(unit.m0).multipliedClamped(by: Int64(unit.k0))
      .multipliedClamped(by: Int64(unit.n0))
    return (cells, unit.cyclesPerTile)
  }
}
