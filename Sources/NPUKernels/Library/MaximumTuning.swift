import NPUSim

/// How the maximum of a row is had at the least price: halves laid on each other by the elementwise
/// maximum, and what is left along the row.
enum MaximumTuning {
  /// The cheaper of the two classes that take maxima: none of an algorithm's is cheaper.
  static func cheaperClass(_ machine: MachineConfiguration) -> VectorClass {
    let slopes = machine.vector.slopes
    return slopes[VectorClass.max.index] <= slopes[VectorClass.rowMax.index] ? .max : .rowMax
  }

  /// Whether `rows` rows of which `folded` columns are laid on others, so that `kept` of `width` are
  /// left, save more along the row than the elementwise maximum takes. Half its latency counts, as two
  /// row tiles share it.
  static func foldPays(
    rows: Int, width: Int, folded: Int, kept: Int, _ machine: MachineConfiguration
  ) -> Bool {
    let unit = machine.vector
    // In Double, as prices may be large beyond all measure.
    func occupancy(_ vectorClass: VectorClass, _ columns: Int) -> Double {
      let cycles = unit.occupancy(
        of: vectorClass, elements: Int64(rows * columns), rows: Int64(rows), formats: [.f32])
      return Double(cycles ?? .max)
    }
    let fold = occupancy(.max, folded) + Double(unit.latencies[VectorClass.max.index]) / 2
    return occupancy(.rowMax, width) - occupancy(.rowMax, kept) > fold
  }
}
