import NPUSim

// MARK: Algorithm

/// The pure reference of ``RMSNorm``: one unit is a row.
struct RMSNormReference: KernelReference {
  private let columns: Int
  private let epsilon: Float
  private let settings: DatapathSettings
  private let x: InputRows
  private let weight: [Float]

  init(_ kernel: RMSNorm, _ inputs: [String: TensorValue], settings: DatapathSettings)
    throws(NPUError)
  {
    columns = kernel.columns
    epsilon = kernel.epsilon
    self.settings = settings
    x = try InputRows("x", columns: columns, inputs)
    weight = try InputRows("weight", columns: columns, inputs)[0]
  }

  func evaluate(unit index: Int) -> ReferenceUnit {
    let row = x[index]
    let ss = LaneReduction.sum(row.lazy.map { FP32.mul($0, $0) }, lanes: settings.lanes)
    let mean = FP32.mul(ss, FP32.div(1, Float(columns)))
    let inverse = SpecialFunction.rsqrt.fp32(FP32.add(mean, epsilon), mode: settings.sfuMode)
    let out = zip(row, weight).map { FP32.mul(FP32.mul($0, inverse), $1) }
    return ReferenceUnit(
      words: [
        ReferenceSlice("ss", start: index, f32: [ss]),
        ReferenceSlice("inv", start: index, f32: [inverse]),
        ReferenceSlice("out", start: index * columns, bf16: out),
      ],
      exact: [exact(index, row, hasOverflow: ss == .infinity)])
  }

  /// x / √(mean x² + eps) · weight in FP64, and a bound on the datapath's error.
  ///
  /// With w = 2^-24 and u = 2^-8: squares of BF16 values are exact in FP32 but for underflow (2^-149
  /// each); the sum of n of them errs by at most n·w, 1/n and the product with it by 2w, eps and its
  /// addition by 2w: v = ms(1 ± ρ) with ρ = (n + 5)w + 2^-148 / v. The root halves that, to at most
  /// ρ / (2(1 − ρ)); it, the two products and the last rounding add 3w + u. A sum beyond FP32 has no
  /// bound.
  private func exact(_ index: Int, _ row: [Float], hasOverflow: Bool) -> ExactSlice {
    let w = 0x1p-24
    let squares = row.reduce(0.0) { $0 + Double($1) * Double($1) }
    let mean = squares / Double(columns) + Double(epsilon)
    let rho = Double(columns + 5) * w + 0x1p-148 / mean
    let root = rho < 1 && !hasOverflow ? rho / (2 * (1 - rho)) : .infinity
    let relative = (1 + root) * (1 + 0x1p-8 + 4 * w) - 1
    let inverse = 1 / mean.squareRoot()
    let values = zip(row, weight).map { Double($0) * inverse * Double($1) }
    return ExactSlice(
      "out", start: index * columns, values: values,
      bounds: zip(values, weight).map {
        // An underflow of x · inv is scaled by the weight.
        relative * $0.magnitude + 0x1p-133 + 0x1p-149 * Double($1.magnitude)
      })
  }
}
