import NPUSim

// MARK: Algorithm

/// The pure reference of ``Rope``: one unit is a position.
struct RopeReference: KernelReference {
  private let kernel: Rope
  private let settings: DatapathSettings
  private let inverses: [Float]
  private let x: InputRows

  init(_ kernel: Rope, _ inputs: [String: TensorValue], settings: DatapathSettings)
    throws(NPUError)
  {
    self.kernel = kernel
    self.settings = settings
    inverses = try InputRows("rope.inv_freq", columns: kernel.half, inputs)[0]
    x = try InputRows("x", columns: kernel.headDim, inputs)
  }

  /// The columns of pair `index`.
  private func columns(_ index: Int) -> (Int, Int) {
    kernel.pairing == .halfSplit ? (index, index + kernel.half) : (2 * index, 2 * index + 1)
  }

  /// One rounding to the tables' type.
  private func rounded(_ value: Traced) -> Traced { kernel.table == .f32 ? value : value.bf16 }

  func evaluate(unit index: Int) -> ReferenceUnit {
    let precision: Precision = kernel.table == .f32 ? .fp32 : .bf16
    let frequencies = inverses.map {
      rounded(.mul(Traced($0), Traced(Float(kernel.first + index))))
    }
    let table = { (function: SpecialFunction) in
      frequencies.map { $0.given.applying(function, to: precision, mode: settings.sfuMode) }
    }
    let (cosines, sines) = (table(.cos), table(.sin))
    var unit = ReferenceUnit()
    let start = index * kernel.half
    for (part, values) in [("freq", frequencies), ("cos", cosines), ("sin", sines)] {
      unit.add(kernel.name(of: part), start: start, values, as: kernel.table)
    }
    for head in 0..<kernel.heads {
      let row = index * kernel.heads + head
      let values = x[row].map { Traced($0) }
      var out = values
      for pair in 0..<kernel.half {
        let (i, j) = columns(pair)
        let (c, s) = (cosines[pair].given, sines[pair].given)
        out[i] = Traced.sub(.mul(values[i], c), .mul(values[j], s)).bf16
        out[j] = Traced.add(.mul(values[j], c), .mul(values[i], s)).bf16
      }
      unit.add("out", start: row * kernel.headDim, out, as: .bf16)
    }
    return unit
  }
}
