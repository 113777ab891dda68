import NPUSim

// MARK: Algorithm

/// The pure reference of ``RMSNorm``: one unit is a row.
struct RMSNormReference: KernelReference {
  private let columns: Int
  private let epsilon: Float
  private let scaled: ElementFormat
  private let settings: DatapathSettings
  private let x: InputRows
  private let weight: [Float]

  init(_ kernel: RMSNorm, _ inputs: [String: TensorValue], settings: DatapathSettings)
    throws(NPUError)
  {
    columns = kernel.columns
    epsilon = kernel.epsilon
    scaled = kernel.scaled
    self.settings = settings
    x = try InputRows("x", columns: columns, inputs)
    weight = try InputRows("weight", columns: columns, inputs)[0]
  }

  func evaluate(unit index: Int) -> ReferenceUnit {
    let row = x[index].map { Traced($0) }
    let count = Traced(FP32.div(1, Float(columns)), for: 1 / Double(columns))
    let ss = Traced.sum(row.map { .mul($0, $0) }, lanes: settings.lanes)
    let mean = Traced.mul(ss.given, count)
    let inverse = Traced.add(mean, Traced(epsilon)).applying(.rsqrt, mode: settings.sfuMode)
    let out = zip(row, weight).map { x, w in
      let y = Traced.mul(x, inverse.given)
      return Traced.mul(scaled == .bf16 ? y.bf16 : y, Traced(w)).bf16
    }
    var unit = ReferenceUnit()
    unit.add("ss", start: index, [ss], as: .f32)
    unit.add("inv", start: index, [inverse], as: .f32)
    unit.add("out", start: index * columns, out, as: .bf16)
    return unit
  }
}
