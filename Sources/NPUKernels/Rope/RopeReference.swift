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

  private func tables(_ position: Int) -> (frequencies: [Float], cosines: [Float], sines: [Float]) {
    let products = inverses.map { FP32.mul($0, Float(position)) }
    let mode = settings.sfuMode
    if kernel.table == .f32 {
      return (
        products, products.map { SpecialFunction.cos.fp32($0, mode: mode) },
        products.map { SpecialFunction.sin.fp32($0, mode: mode) }
      )
    }
    let rounded = products.map { BF16($0) }
    return (
      rounded.map(\.float), rounded.map { SpecialFunction.cos.bf16($0, mode: mode).float },
      rounded.map { SpecialFunction.sin.bf16($0, mode: mode).float }
    )
  }

  func evaluate(unit index: Int) -> ReferenceUnit {
    let (frequencies, cosines, sines) = tables(index)
    let start = index * kernel.half
    var unit = ReferenceUnit(
      words: [
        slice("freq", start, frequencies), slice("cos", start, cosines),
        slice("sin", start, sines),
      ], exact: exactTables(index))
    for head in 0..<kernel.heads {
      let row = index * kernel.heads + head
      let values = x[row]
      var out = values
      for pair in 0..<kernel.half {
        let (i, j) = columns(pair)
        let (c, s) = (cosines[pair], sines[pair])
        out[i] = FP32.sub(FP32.mul(values[i], c), FP32.mul(values[j], s))
        out[j] = FP32.add(FP32.mul(values[j], c), FP32.mul(values[i], s))
      }
      unit.words.append(ReferenceSlice("out", start: row * kernel.headDim, bf16: out))
      unit.exact.append(exactRotation(index, row, values))
    }
    return unit
  }

  private func slice(_ part: String, _ start: Int, _ values: [Float]) -> ReferenceSlice {
    let name = kernel.name(of: part)
    return kernel.table == .f32
      ? ReferenceSlice(name, start: start, f32: values)
      : ReferenceSlice(name, start: start, bf16: values)
  }
}

extension RopeReference {
  /// One rounding of the tables' type.
  private var unit: Double { kernel.table == .f32 ? 0x1p-24 : 0x1p-8 }

  /// A bound on the error of the sine and the cosine of a phase: they move by no more than their
  /// argument, which errs by w = 2^-24 of itself in the product and by one rounding of the tables'
  /// type; never by more than 2; and are rounded once.
  private func tableError(_ phase: Double) -> Double {
    min(2, phase * (0x1p-24 + unit * (1 + 0x1p-24))) + unit
  }

  /// The tables in FP64 for the frequencies as they were given.
  private func exactTables(_ position: Int) -> [ExactSlice] {
    let phases = inverses.map { Double($0) * Double(position) }
    let start = position * kernel.half
    return [
      ExactSlice(
        kernel.name(of: "freq"), start: start, values: phases,
        bounds: phases.map { $0.magnitude * 2 * (0x1p-24 + unit) + 0x1p-133 }),
      ExactSlice(
        kernel.name(of: "cos"), start: start, values: phases.map(ReferenceMath.cos),
        bounds: phases.map { tableError($0.magnitude) }),
      ExactSlice(
        kernel.name(of: "sin"), start: start, values: phases.map(ReferenceMath.sin),
        bounds: phases.map { tableError($0.magnitude) }),
    ]
  }

  /// A head's rotation in FP64. With δ the error of the tables, the two products move by at most
  /// (|a| + |b|)δ and are rounded to 2^-24 of themselves, as is their sum; the result is rounded to
  /// BF16 once.
  private func exactRotation(_ position: Int, _ row: Int, _ values: [Float]) -> ExactSlice {
    var exact = [Double](repeating: 0, count: values.count)
    var bounds = exact
    for pair in 0..<kernel.half {
      let phase = Double(inverses[pair]) * Double(position)
      let (i, j) = columns(pair)
      let (a, b) = (Double(values[i]), Double(values[j]))
      let (c, s) = (ReferenceMath.cos(phase), ReferenceMath.sin(phase))
      exact[i] = a * c - b * s
      exact[j] = b * c + a * s
      let moved = (a.magnitude + b.magnitude) * (tableError(phase.magnitude) + 0x1p-22)
      for column in [i, j] {
        bounds[column] = moved + 0x1p-8 * (exact[column].magnitude + moved) + 0x1p-133
      }
    }
    return ExactSlice("out", start: row * kernel.headDim, values: exact, bounds: bounds)
  }
}
