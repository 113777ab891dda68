import NPUSim

// MARK: Algorithm

/// The pure reference of ``Swiglu``: one unit is a token.
struct SwigluReference: KernelReference {
  private let kernel: Swiglu
  private let settings: DatapathSettings
  private let x: InputRows
  private let w1: WeightRows
  private let w2: WeightRows
  private let w3: WeightRows

  init(_ kernel: Swiglu, _ inputs: [String: TensorValue], settings: DatapathSettings)
    throws(NPUError)
  {
    self.kernel = kernel
    self.settings = settings
    x = try InputRows("x", columns: kernel.hidden, inputs)
    w1 = try WeightRows("w1", depth: kernel.hidden, inputs)
    w2 = try WeightRows("w2", depth: kernel.ffn, inputs)
    w3 = try WeightRows("w3", depth: kernel.hidden, inputs)
  }

  func evaluate(unit index: Int) -> ReferenceUnit {
    let row = x[index]
    let input = EncodedRow(
      row, exact: row.map { Double($0) }, errors: [Double](repeating: 0, count: row.count))
    let a = w1.product(input, accumulator: settings.accumulator)
    let u = w3.product(input, accumulator: settings.accumulator)
    let g = a.words.map { SpecialFunction.silu.bf16(BF16($0), mode: settings.sfuMode).float }
    let h = zip(g, u.words).map { BF16(FP32.mul($0, $1)).float }
    let (values, errors) = gated(a, u)
    let inner = EncodedRow(h, exact: values, errors: errors)
    let out = w2.product(inner, accumulator: settings.accumulator)
    let start = index * kernel.ffn
    return ReferenceUnit(
      words: [
        ReferenceSlice("a", start: start, bf16: a.words),
        ReferenceSlice("u", start: start, bf16: u.words),
        ReferenceSlice("g", start: start, bf16: g),
        ReferenceSlice("h", start: start, bf16: h),
        ReferenceSlice("out", start: index * kernel.hidden, bf16: out.words),
      ],
      exact: [
        ExactSlice(
          "out", start: index * kernel.hidden, values: out.exact, bounds: out.bounds)
      ])
  }

  /// silu(a) · u in FP64, and how far h may be from it.
  ///
  /// |silu′| ≤ 1.1, so an error E of a moves g by at most 1.1 E before its rounding by 2^-8; the
  /// product moves by |g|·Eu + |u|·Eg + Eg·Eu and is rounded to FP32 and to BF16.
  private func gated(_ a: WeightRows.Product, _ u: WeightRows.Product) -> ([Double], [Double]) {
    var values: [Double] = []
    var errors: [Double] = []
    for index in a.exact.indices {
      let g = a.exact[index] / (1 + ReferenceMath.exp(-a.exact[index]))
      let gMoved = 1.1 * a.bounds[index]
      let gError = gMoved + 0x1p-8 * (g.magnitude + gMoved) + 0x1p-133
      let (w, wError) = (u.exact[index], u.bounds[index])
      let moved = g.magnitude * wError + w.magnitude * gError + gError * wError
      values.append(g * w)
      errors.append(moved + (0x1p-8 + 0x1p-23) * ((g * w).magnitude + moved) + 0x1p-133)
    }
    return (values, errors)
  }
}

/// A row as the matrix unit takes it, with what it stands for.
struct EncodedRow {
  let payload: [Int8]
  let scales: [E8M0]
  /// The exact values, and a bound on how far each decoded one is from it.
  let exact: [Double]
  let errors: [Double]

  /// MXINT8 of `values`, which differ from `exact` by at most `errors`. The encode moves a value by at
  /// most one step 2^(e − 6) of its block.
  init(_ values: [Float], exact: [Double], errors: [Double]) {
    var payload: [Int8] = []
    var scales: [E8M0] = []
    var moved = errors
    for start in stride(from: 0, to: values.count, by: MXINT8.blockSize) {
      let range = start..<min(start + MXINT8.blockSize, values.count)
      let block = MXINT8.encodeBlock(Array(values[range]))
      payload += block.payload
      scales.append(block.scale)
      let step = ReferenceMath.power(Int(block.scale.bits) - 133)
      for index in range { moved[index] += step }
    }
    self.payload = payload
    self.scales = scales
    self.exact = exact
    self.errors = moved
  }
}

/// The rows of an MXINT8 weight matrix, blocks along each row: columns of the product with it
/// transposed.
struct WeightRows {
  private let depth: Int
  private let payload: ReferencePayload
  private let scales: [UInt8]

  init(_ name: String, depth: Int, _ inputs: [String: TensorValue]) throws(NPUError) {
    guard case .mx(let tensor) = inputs[name] else {
      throw NPUError(.internal, "the reference was not given \(name)")
    }
    self.depth = depth
    payload = ReferencePayload(tensor)
    scales = tensor.scale.storage
  }

  /// A row times every row of the matrix.
  struct Product {
    /// The accumulators, rounded once to BF16.
    var words: [Float]
    /// The same in FP64 from the exact row, and a bound on the error of `words`.
    var exact: [Double]
    var bounds: [Double]
  }

  /// One chain of block values for each row, in ascending depth.
  ///
  /// Each accumulator add rounds by at most (2^-8 + 2^-24)|acc|, or 2^-24 |acc| in FP32, where one
  /// more 2^-8 pays for the BF16 result; an element of the row that is off by E moves the product by
  /// E·|w|; FP64 adds 2^-50 of Σ|x·w|.
  func product(_ row: EncodedRow, accumulator: AccumulatorMode) -> Product {
    let blocks = MXINT8.blocks(depth)
    let count = depth == 0 ? 0 : payload.count / depth
    var result = Product(words: [], exact: [], bounds: [])
    let perAdd = accumulator == .bf16 ? 0x1p-8 + 0x1p-24 : 0x1p-24
    let drain = accumulator == .fp32 ? 0x1p-8 : 0
    for column in 0..<count {
      var chain: Float = 0
      var magnitude = 0.0
      var (exact, size, moved) = (0.0, 0.0, 0.0)
      for block in 0..<blocks {
        let range = block * 32..<min(block * 32 + 32, depth)
        let scale = E8M0(bits: scales[column * blocks + block])
        var sum: Int32 = 0
        var (value, absolute, error) = (0.0, 0.0, 0.0)
        for k in range {
          let weight = payload[column * depth + k]
          sum &+= Int32(row.payload[k]) &* Int32(weight)
          let w = Double(weight)
          value += row.exact[k] * w
          absolute += (row.exact[k] * w).magnitude
          error += row.errors[k] * w.magnitude
        }
        chain = accumulator.add(
          chain, BlockMAC.value(sum: sum, a: row.scales[block], b: scale))
        magnitude += Double(chain.magnitude)
        let unit = scale == .nan ? .nan : ReferenceMath.power(Int(scale.bits) - 133)
        exact += value * unit
        size += absolute * unit
        moved += error * unit
      }
      let error = perAdd * magnitude + moved + 0x1p-50 * size
      result.words.append(BF16(chain).float)
      result.exact.append(exact)
      result.bounds.append(
        error + drain * (exact.magnitude + error) + Double(blocks + 1) * 0x1p-133)
    }
    return result
  }
}
