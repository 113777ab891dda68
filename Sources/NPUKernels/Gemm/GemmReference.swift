import NPUSim

// MARK: Algorithm

/// The pure reference of gemm, gevm and dot_product: one unit is a part of one output row.
struct GemmReference: KernelReference {
  private let problem: GemmProblem
  private let settings: DatapathSettings
  private let blocks: Int
  /// Payloads [m, k] and scales [m, blocks].
  private let a: ReferencePayload
  private let aScales: [UInt8]
  /// Payloads [k, n] and scales [blocks, n].
  private let b: ReferencePayload
  private let bScales: [UInt8]
  /// The values before the encode; empty where the operands came as MXINT8.
  private let aValues: [Float]
  private let bValues: [Float]

  init(_ problem: GemmProblem, _ inputs: [String: TensorValue], settings: DatapathSettings)
    throws(NPUError)
  {
    self.problem = problem
    self.settings = settings
    blocks = MXINT8.blocks(problem.k)
    switch (inputs[problem.interface.input.name], inputs[problem.interface.other.name]) {
    case (.mx(let input), .mx(let other)):
      a = ReferencePayload(input)
      b = ReferencePayload(other)
      aScales = input.scale.storage
      bScales = other.scale.storage
      aValues = []
      bValues = []
    case (.plain(let input), .plain(let other)):
      aValues = try input.floats()
      bValues = try other.floats()
      let left = ReferenceBlocks.encode(
        aValues, lines: problem.m, depth: problem.k, lineStride: problem.k, stride: 1)
      let right = ReferenceBlocks.encode(
        bValues, lines: problem.n, depth: problem.k, lineStride: 1, stride: problem.n)
      (a, aScales) = (ReferencePayload(left.payload), left.scales)
      (b, bScales) = (ReferencePayload(right.payload), right.scales)
    default:
      throw NPUError(
        .internal,
        "the reference was not given \(problem.interface.input.name) and "
          + problem.interface.other.name)
    }
  }

  func evaluate(unit index: Int) -> ReferenceUnit {
    let width = problem.unitColumns
    let parts = problem.n / width
    let row = index / parts
    let columns = index % parts * width..<(index % parts + 1) * width
    let start = row * problem.n + columns.lowerBound
    let (chains, magnitudes) = chains(row: row, columns: columns)
    let name = problem.interface.output.name
    let words =
      problem.result == .bf16
      ? ReferenceSlice(name, start: start, bf16: chains)
      : ReferenceSlice(name, start: start, fp32: chains)
    return ReferenceUnit(
      words: [words],
      exact: [exact(row: row, columns: columns, magnitudes: magnitudes, start: start)])
  }

  /// The accumulators of some columns of a row after the last block, and Σ over each chain of
  /// |accumulator|: one add for each 32-block in ascending k.
  private func chains(row: Int, columns: Range<Int>) -> ([Float], [Double]) {
    let n = problem.n
    let width = columns.count
    var chains = [Float](repeating: 0, count: width)
    var magnitudes = [Double](repeating: 0, count: width)
    var sums = [Int32](repeating: 0, count: width)
    b.withUnsafeBufferPointer { b in
      sums.withUnsafeMutableBufferPointer { sums in
        for block in 0..<blocks {
          for column in 0..<width { sums[column] = 0 }
          for k in block * 32..<min(block * 32 + 32, problem.k) {
            let factor = Int32(a[row * problem.k + k])
            let line = k * n + columns.lowerBound
            for column in 0..<width { sums[column] &+= factor &* Int32(b[line &+ column]) }
          }
          let scale = E8M0(bits: aScales[row * blocks + block])
          let line = block * n + columns.lowerBound
          for column in 0..<width {
            let value = BlockMAC.value(
              sum: sums[column], a: scale, b: E8M0(bits: bScales[line + column]))
            chains[column] = settings.accumulator.add(chains[column], value)
            magnitudes[column] += Double(chains[column].magnitude)
          }
        }
      }
    }
    return (chains, magnitudes)
  }
}

extension GemmReference {
  /// The product in FP64, and a bound on the datapath's error.
  ///
  /// With u = 2^-8 (BF16) and w = 2^-24 (FP32): each accumulator add rounds by at most (u + w)|acc|,
  /// w|acc| in FP32, where one more u pays for a BF16 output; block values are exact but for FP32's
  /// subnormals (2^-149 each). An operand that is encoded moves by at most one step h = 2^(e − 6) of
  /// its block (the half step of rounding, or the clamp at 127), so a product by at most
  /// ha·|b| + |a|·hb + ha·hb. FP64 adds 2^-50 of Σ|a·b|.
  private func exact(row: Int, columns: Range<Int>, magnitudes: [Double], start: Int) -> ExactSlice
  {
    let n = problem.n
    let depth = problem.k
    let width = columns.count
    let isEncoded = !aValues.isEmpty
    var values = [Double](repeating: 0, count: width)
    var sizes = [Double](repeating: 0, count: width)
    var moved = [Double](repeating: 0, count: width)
    var steps = [Double](repeating: 0, count: width)
    for k in 0..<depth {
      let block = k / 32
      if k % 32 == 0 {
        let line = block * n + columns.lowerBound
        for column in 0..<width { steps[column] = ReferenceBlocks.step(bScales[line + column]) }
      }
      let aStep = ReferenceBlocks.step(aScales[row * blocks + block])
      let line = k * n + columns.lowerBound
      if isEncoded {
        let x = Double(aValues[row * depth + k])
        for column in 0..<width {
          let y = Double(bValues[line + column])
          values[column] += x * y
          sizes[column] += (x * y).magnitude
          moved[column] += aStep * y.magnitude + (x.magnitude + aStep) * steps[column]
        }
      } else {
        let x = Double(a[row * depth + k]) * aStep
        for column in 0..<width {
          let product = x * (Double(b[line + column]) * steps[column])
          values[column] += product
          sizes[column] += product.magnitude
        }
      }
    }
    let perAdd = settings.accumulator == .bf16 ? 0x1p-8 + 0x1p-24 : 0x1p-24
    let drain = settings.accumulator == .fp32 && problem.result == .bf16 ? 0x1p-8 : 0
    var bounds = [Double](repeating: 0, count: width)
    for column in 0..<width {
      let chain = perAdd * magnitudes[column] + moved[column] + 0x1p-50 * sizes[column]
      bounds[column] =
        chain + drain * (values[column].magnitude + chain) + Double(blocks + 1) * 0x1p-133
    }
    return ExactSlice(
      problem.interface.output.name, start: start, values: values, bounds: bounds)
  }
}
