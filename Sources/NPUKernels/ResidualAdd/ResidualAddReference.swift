import NPUSim

// MARK: Algorithm

/// The pure reference of ``ResidualAdd``: one unit is a row.
struct ResidualAddReference: KernelReference {
  private let columns: Int
  private let x: InputRows
  private let residual: InputRows

  init(_ kernel: ResidualAdd, _ inputs: [String: TensorValue]) throws(NPUError) {
    columns = kernel.columns
    x = try InputRows("x", columns: columns, inputs)
    residual = try InputRows("residual", columns: columns, inputs)
  }

  /// out = bf16(fl32(x + residual)).
  func evaluate(unit index: Int) -> ReferenceUnit {
    var unit = ReferenceUnit()
    unit.add(
      "out", start: index * columns,
      zip(x[index], residual[index]).map { Traced.add(Traced($0), Traced($1)).bf16 }, as: .bf16)
    return unit
  }
}
