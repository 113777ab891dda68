import NPUSim

// MARK: Algorithm

/// The pure reference of ``Swiglu``: one unit is a token.
struct SwigluReference: KernelReference {
  private let kernel: Swiglu
  private let settings: DatapathSettings
  private let x: InputRows
  private let w1: ProductMatrix
  private let w2: ProductMatrix
  private let w3: ProductMatrix

  init(_ kernel: Swiglu, _ inputs: [String: TensorValue], settings: DatapathSettings)
    throws(NPUError)
  {
    self.kernel = kernel
    self.settings = settings
    x = try InputRows("x", columns: kernel.hidden, inputs)
    w1 = try Self.weights("w1", [kernel.ffn, kernel.hidden], inputs)
    w2 = try Self.weights("w2", [kernel.hidden, kernel.ffn], inputs)
    w3 = try Self.weights("w3", [kernel.ffn, kernel.hidden], inputs)
  }

  /// An MXINT8 weight matrix with blocks along each row: its rows are columns of the product with it
  /// transposed.
  private static func weights(
    _ name: String, _ shape: [Int], _ inputs: [String: TensorValue]
  ) throws(NPUError) -> ProductMatrix {
    guard case .mx(let tensor) = inputs[name] else {
      throw NPUError(.internal, "the reference was not given \(name)")
    }
    return ProductMatrix(
      payload: ReferencePayload(tensor), scales: tensor.scale.storage, lines: shape[0],
      depth: shape[1], layout: .lines, hasEnergies: true)
  }

  func evaluate(unit index: Int) -> ReferenceUnit {
    let input = ProductRow(encoding: x[index])
    let product = { (row: ProductRow, weights: ProductMatrix) in
      weights.product(row, lines: 0..<weights.lines, accumulator: settings.accumulator)
        .map(\.bf16)
    }
    let (a, u) = (product(input, w1), product(input, w3))
    let g = a.map { $0.given.applying(.silu, to: .bf16, mode: settings.sfuMode) }
    let h = zip(g, u).map { Traced.mul($0.given, $1.given).bf16 }
    let out = product(ProductRow(encoding: h.map(\.given)), w2)
    var unit = ReferenceUnit()
    for (name, values) in [("a", a), ("u", u), ("g", g), ("h", h)] {
      unit.add(name, start: index * kernel.ffn, values, as: .bf16)
    }
    unit.add("out", start: index * kernel.hidden, out, as: .bf16)
    return unit
  }
}
