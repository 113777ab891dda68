import NPUSim

// MARK: Algorithm

/// The pure reference of ``Argmax``: one unit is a row.
struct ArgmaxReference: KernelReference {
  private let x: InputRows

  init(_ kernel: Argmax, _ inputs: [String: TensorValue]) throws(NPUError) {
    x = try InputRows("x", columns: kernel.columns, inputs)
  }

  /// The first NaN, or else the first element that no other one exceeds.
  func evaluate(unit index: Int) -> ReferenceUnit {
    let row = x[index]
    var place = 0
    for (column, value) in row.enumerated() {
      if value.isNaN {
        place = column
        break
      }
      if value > row[place] { place = column }
    }
    var unit = ReferenceUnit()
    // NaN is no value that another one could equal.
    unit.ties = row.count { $0 == row[place] } > 1 ? 1 : 0
    unit.add("maximum", start: index, [Traced(row[place])], as: .f32)
    unit.words.append(
      ReferenceSlice("index", start: index, words: [UInt32(truncatingIfNeeded: place)]))
    return unit
  }
}
