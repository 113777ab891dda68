import NPUSim

// MARK: Algorithm

/// The pure reference of ``SoftmaxV``: one unit is one query row of one head.
struct SoftmaxVReference: KernelReference {
  private let kernel: SoftmaxV
  private let settings: DatapathSettings
  private let scores: [UInt16]
  private let v: ReferencePayload
  private let vScales: [UInt8]

  init(_ kernel: SoftmaxV, _ inputs: [String: TensorValue], settings: DatapathSettings)
    throws(NPUError)
  {
    guard case .plain(let qk) = inputs["softmaxed_v.qk_T"],
      case .mx(let value) = inputs["softmaxed_v.v"]
    else { throw NPUError(.internal, "softmax_v was not given qk_T and v") }
    self.kernel = kernel
    self.settings = settings
    scores = try qk.words(as: UInt16.self)
    v = ReferencePayload(value)
    vScales = value.scale.storage
  }

  /// The values of one row, step by step.
  private struct Row {
    var exps: [Float]
    var sum: Float
    var scales: [E8M0]
    var payload: [Int8]
    var scaled: [Float]
    var inverse: Float
    var out: [Float]
    /// Σ over the chain of |accumulator|, for the error bound.
    var chainMagnitude: [Double]
  }

  private func row(_ index: Int) -> Row {
    let kv = kernel.kv
    let qk = scores[index * kv..<(index + 1) * kv].map { BF16(bits: $0) }
    var shifted = qk
    if kernel.isStable {
      let maximum = LaneReduction.max(qk.lazy.map(\.float), lanes: settings.lanes)
      shifted = qk.map { BF16(FP32.sub($0.float, maximum)) }
    }
    let exps = shifted.map { SpecialFunction.exp.bf16($0, mode: settings.sfuMode).float }
    let sum = BF16(LaneReduction.sum(exps, lanes: settings.lanes)).float

    var scales: [E8M0] = []
    var payload: [Int8] = []
    for start in stride(from: 0, to: kv, by: MXINT8.blockSize) {
      let block = MXINT8.encodeBlock(Array(exps[start..<min(start + MXINT8.blockSize, kv)]))
      scales.append(block.scale)
      payload += block.payload
    }

    let inverse =
      SpecialFunction.reciprocal.bf16(BF16(sum), mode: settings.sfuMode).float
    let (chains, magnitudes) = product(payload, scales, group: index / kernel.rowsPerGroup)
    let scaled = chains.map { BF16($0).float }
    let out = scaled.map { BF16(FP32.mul($0, inverse)).float }
    return Row(
      exps: exps, sum: sum, scales: scales, payload: payload, scaled: scaled, inverse: inverse,
      out: out, chainMagnitude: magnitudes)
  }

  /// payload · v of a group, one accumulator add for each 32-block in ascending kv.
  private func product(_ payload: [Int8], _ scales: [E8M0], group: Int) -> (
    chains: [Float], magnitudes: [Double]
  ) {
    let kv = kernel.kv
    let columns = kernel.headDim
    let blocks = (kv + 31) / 32
    var chains = [Float](repeating: 0, count: columns)
    var magnitudes = [Double](repeating: 0, count: columns)
    var sums = [Int32](repeating: 0, count: columns)
    for block in 0..<blocks {
      for column in 0..<columns { sums[column] = 0 }
      for k in block * 32..<min(block * 32 + 32, kv) {
        let factor = Int32(payload[k])
        let line = (group * kv + k) * columns
        for column in 0..<columns { sums[column] &+= factor &* Int32(v[line + column]) }
      }
      let line = (group * blocks + block) * columns
      for column in 0..<columns {
        let value = BlockMAC.value(
          sum: sums[column], a: scales[block], b: E8M0(bits: vScales[line + column]))
        chains[column] = settings.accumulator.add(chains[column], value)
        magnitudes[column] += Double(chains[column].magnitude)
      }
    }
    return (chains, magnitudes)
  }

  func evaluate(unit index: Int) -> ReferenceUnit {
    let row = row(index)
    return ReferenceUnit(words: words(index, row), exact: [exact(index, row)])
  }

  private func words(_ index: Int, _ row: Row) -> [ReferenceSlice] {
    let kv = kernel.kv
    let d = kernel.headDim
    return [
      ReferenceSlice("softmaxed_v.exp-bf16", start: index * kv, bf16: row.exps),
      ReferenceSlice("softmaxed_v.exp_sum", start: index, bf16: [row.sum]),
      ReferenceSlice(
        "softmaxed_v.exp_mxint8", start: index * kv,
        bytes: row.payload.prefix(kv).map { UInt8(bitPattern: $0) }),
      ReferenceSlice(
        "softmaxed_v.exp_mxint8.scale", start: index * row.scales.count,
        bytes: row.scales.map(\.bits)),
      ReferenceSlice("softmaxed_v.scaled_v", start: index * d, bf16: row.scaled),
      ReferenceSlice("softmaxed_v.inv", start: index, bf16: [row.inverse]),
      ReferenceSlice("softmaxed_v.out", start: index * d, bf16: row.out),
    ]
  }
}

extension SoftmaxVReference {
  /// softmax(qk) · v in FP64, and a bound on the datapath's error.
  ///
  /// With u = 2^-8 (BF16) and w = 2^-24 (FP32), P the exact exponentials and p those of the
  /// datapath: |p − P| ≤ εP with ε = u, or (1 + u)(e^δ − 1) + u where the stable form first rounds
  /// x − max to BF16 (|δ| ≤ u·|x − max|); the encode moves p by at most one step 2^(e−6) of its
  /// block; each accumulator add rounds by at most (u + w)|acc| (w alone in FP32, and one u for the
  /// drain); the sum by (u + kv·w); the inverse and the last product by u each. `expu` replaces the
  /// first ε by its measured relative error 2^-6 and the inverse's by 2^-7 (assumed).
  private func exact(_ index: Int, _ row: Row) -> ExactSlice {
    let kv = kernel.kv
    let d = kernel.headDim
    let group = index / kernel.rowsPerGroup
    let x = scores[index * kv..<(index + 1) * kv].map { Double(BF16(bits: $0).float) }
    let shift = kernel.isStable ? x.reduce(-Double.infinity, Swift.max) : 0
    let u = 0x1p-8
    let w = 0x1p-24
    let isApproximate = settings.sfuMode == .expu
    let expError = isApproximate ? 0x1p-6 : u
    let inverseError = isApproximate ? 0x1p-7 : u

    var exact = [Double](repeating: 0, count: d)
    var moved = [Double](repeating: 0, count: d)
    var sum = 0.0
    var sumError = 0.0
    var weights = [Double](repeating: 0, count: d)
    for k in 0..<kv {
      if k % 32 == 0 {
        let line = (group * row.scales.count + k / 32) * d
        for column in 0..<d {
          weights[column] = ReferenceMath.power(Int(vScales[line + column]) - 133)
        }
      }
      let p = ReferenceMath.exp(x[k] - shift)
      let delta = kernel.isStable ? u * (x[k] - shift).magnitude : 0
      let error = ((1 + expError) * ReferenceMath.exp(delta) - 1) * p + 0x1p-133
      let step = ReferenceMath.power(Int(row.scales[k / 32].bits) - 133)
      sum += p
      sumError += error
      let line = (group * kv + k) * d
      for column in 0..<d {
        let value = Double(v[line + column]) * weights[column]
        exact[column] += p * value
        moved[column] += (error + step) * value.magnitude
      }
    }
    let relativeSum = sumError / sum + (u + Double(kv) * w) * (1 + sumError / sum)
    // 1 / (s(1 + r)) differs from 1/s by at most r / (1 − r); from r = 1 on there is no bound.
    let inverse = relativeSum < 1 ? relativeSum / (1 - relativeSum) : .infinity
    let perAdd = settings.accumulator == .bf16 ? u + w : w
    let drain = settings.accumulator == .bf16 ? 0 : u
    var values = [Double](repeating: 0, count: d)
    var bounds = [Double](repeating: 0, count: d)
    for column in 0..<d {
      let chain = perAdd * row.chainMagnitude[column]
      let scaledError =
        moved[column] + chain + drain * (exact[column].magnitude + moved[column] + chain)
      let scaled = exact[column].magnitude + scaledError
      let tail = (1 + inverse) * (1 + inverseError) * (1 + u + w) - 1
      values[column] = exact[column] / sum
      bounds[column] = (scaledError + scaled * tail) / sum + 0x1p-133
    }
    return ExactSlice("softmaxed_v.out", start: index * d, values: values, bounds: bounds)
  }
}
