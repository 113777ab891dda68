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
    return ReferenceUnit(
      words: [
        ReferenceSlice("maximum", start: index, f32: [row[place]]),
        ReferenceSlice("index", start: index, words: [UInt32(truncatingIfNeeded: place)]),
      ],
      // Nothing is rounded on the way.
      exact: [ExactSlice("index", start: index, values: [Double(place)], bounds: [0])])
  }
}
