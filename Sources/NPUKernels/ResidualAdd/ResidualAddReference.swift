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

  /// out = bf16(fl32(x + residual)). The sum is exact in FP64 but for exponents 40 apart, so the bound
  /// is the two roundings: 2^-8 + 2^-24 of the sum, or half a step of the smallest subnormals.
  func evaluate(unit index: Int) -> ReferenceUnit {
    let a = x[index]
    let b = residual[index]
    let start = index * columns
    let out = zip(a, b).map { FP32.add($0, $1) }
    let exact = zip(a, b).map { Double($0) + Double($1) }
    return ReferenceUnit(
      words: [ReferenceSlice("out", start: start, bf16: out)],
      exact: [
        ExactSlice(
          "out", start: start, values: exact,
          bounds: exact.map { (0x1p-8 + 0x1p-24) * $0.magnitude + 0x1p-133 })
      ])
  }
}
