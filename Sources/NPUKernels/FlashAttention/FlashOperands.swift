import NPUSim

/// The operands of an attention as the matrix unit sees them, with the values they stand for.
struct FlashOperands: Sendable {
  let form: FlashShape
  /// BF16 values of q, widened: rows × d.
  let q: [Float]
  /// [group, kv, d], scales [group, kv, blocks of d].
  let k: ReferenceBlocks
  /// [group, kv, d], scales [group, blocks of kv, d].
  let v: ReferenceBlocks
  /// The values of k and v before an encode on chip; empty where they came as MXINT8.
  let keys: [Float]
  let values: [Float]

  /// Throws `.internal` where an input is missing, and what reading its words throws.
  init(_ form: FlashShape, _ inputs: [String: TensorValue]) throws(NPUError) {
    self.form = form
    guard case .plain(let queries) = inputs["q"] else {
      throw NPUError(.internal, "flash_attention was not given q")
    }
    q = try queries.floats()
    let rows = try FlashCacheRows(form, inputs)
    if case .mx(let keyBlocks) = inputs["k"], case .mx(let valueBlocks) = inputs["v"] {
      let d = form.headDim
      k = ReferenceBlocks(
        payload: rows.gather(try keyBlocks.payload.words(as: Int8.self), width: d),
        scales: rows.gather(keyBlocks.scale.storage, width: MXINT8.blocks(d)))
      v = ReferenceBlocks(
        payload: rows.gather(try valueBlocks.payload.words(as: Int8.self), width: d),
        scales: rows.gatherBlocks(valueBlocks.scale.storage, width: d))
      keys = []
      values = []
      return
    }
    keys = try Self.values("k", form, rows, inputs)
    values = try Self.values("v", form, rows, inputs)
    let d = form.headDim
    k = ReferenceBlocks.encode(
      keys, lines: form.groups * form.kv, depth: d, lineStride: d, stride: 1)
    v = ReferenceBlocks.encode(
      values, slabs: form.groups, lines: d, depth: form.kv, lineStride: 1, stride: d)
  }

  /// BF16 words widened, or `fl32(code · scale)` of FP8 codes.
  private static func values(
    _ name: String, _ form: FlashShape, _ rows: FlashCacheRows, _ inputs: [String: TensorValue]
  ) throws(NPUError) -> [Float] {
    guard case .plain(let tensor) = inputs[name] else {
      throw NPUError(.internal, "flash_attention was not given \(name)")
    }
    let d = form.headDim
    guard let format = form.kvFormat.fp8 else { return rows.gather(try tensor.floats(), width: d) }
    guard case .plain(let scaleTensor) = inputs[name + "_scale"] else {
      throw NPUError(.internal, "flash_attention was not given \(name)_scale")
    }
    let scales = rows.gather(try scaleTensor.floats(), width: form.scaleBlocks)
    let decoded = (0...255).map { format.value(UInt8($0)) }
    let codes = rows.gather(tensor.storage, width: d)
    return codes.indices.map { index in
      let scale = scales[index / d * form.scaleBlocks + index % d / FP8Block.blockSize]
      return FP32.mul(decoded[Int(codes[index])], scale)
    }
  }

  /// The value of element (`key`, `column`) of k in a group.
  func key(_ group: Int, _ key: Int, _ column: Int) -> Double {
    let line = group * form.kv + key
    if !keys.isEmpty { return Double(keys[line * form.headDim + column]) }
    let scale = k.scales[line * MXINT8.blocks(form.headDim) + column / 32]
    return Double(k.payload[line * form.headDim + column]) * ReferenceBlocks.step(scale)
  }

  /// A step of k's block at (`key`, `column`): what an encode moves it by at most, or 0.
  func keyStep(_ group: Int, _ key: Int, _ column: Int) -> Double {
    if keys.isEmpty { return 0 }
    let line = group * form.kv + key
    return ReferenceBlocks.step(k.scales[line * MXINT8.blocks(form.headDim) + column / 32])
  }

  /// The value of element (`key`, `column`) of v in a group.
  func value(_ group: Int, _ key: Int, _ column: Int) -> Double {
    let index = (group * form.kv + key) * form.headDim + column
    if !values.isEmpty { return Double(values[index]) }
    return Double(v.payload[index]) * valueScale(group, key, column)
  }

  /// A step of v's block at (`key`, `column`): what an encode moves it by at most, or 0.
  func valueStep(_ group: Int, _ key: Int, _ column: Int) -> Double {
    values.isEmpty ? 0 : valueScale(group, key, column)
  }

  private func valueScale(_ group: Int, _ key: Int, _ column: Int) -> Double {
    let line = group * MXINT8.blocks(form.kv) + key / 32
    return ReferenceBlocks.step(v.scales[line * form.headDim + column])
  }

  /// Row `row` of q in MXINT8.
  func query(_ row: Int) -> ReferenceBlocks {
    let d = form.headDim
    return ReferenceBlocks.encode(
      Array(q[row * d..<(row + 1) * d]), lines: 1, depth: d, lineStride: d, stride: 1)
  }

  /// q · kᵀ for some keys: one accumulator add for each 32-block of d in ascending order. Also
  /// Σ |accumulator| of each chain, for the error bound.
  func scores(
    _ query: ReferenceBlocks, group: Int, keys range: Range<Int>, accumulator: AccumulatorMode
  ) -> (values: [Float], magnitudes: [Double]) {
    let d = form.headDim
    let blocks = MXINT8.blocks(d)
    var chains: [Float] = []
    var magnitudes: [Double] = []
    k.payload.withUnsafeBufferPointer { payload in
      query.payload.withUnsafeBufferPointer { left in
        for key in range {
          let line = group * form.kv + key
          var chain: Float = 0
          var magnitude = 0.0
          for block in 0..<blocks {
            var sum: Int32 = 0
            for column in block * 32..<min(block * 32 + 32, d) {
              sum &+= Int32(left[column]) &* Int32(payload[line &* d &+ column])
            }
            let value = BlockMAC.value(
              sum: sum, a: E8M0(bits: query.scales[block]),
              b: E8M0(bits: k.scales[line * blocks + block]))
            chain = accumulator.add(chain, value)
            magnitude += Double(chain.magnitude)
          }
          chains.append(chain)
          magnitudes.append(magnitude)
        }
      }
    }
    return (chains, magnitudes)
  }

  /// p · v for keys from `first` on (a multiple of 32): a chain from +0, one add for each 32-block.
  /// Also Σ |accumulator| of each chain, and the scales of p's blocks.
  func product(
    _ p: [Float], group: Int, first: Int, accumulator: AccumulatorMode
  ) -> (values: [Float], magnitudes: [Double], scales: [UInt8]) {
    let d = form.headDim
    let encoded = ReferenceBlocks.encode(
      p, lines: 1, depth: p.count, lineStride: p.count, stride: 1)
    var chains = [Float](repeating: 0, count: d)
    var magnitudes = [Double](repeating: 0, count: d)
    var sums = [Int32](repeating: 0, count: d)
    v.payload.withUnsafeBufferPointer { payload in
      sums.withUnsafeMutableBufferPointer { sums in
        for block in 0..<encoded.scales.count {
          for column in 0..<d { sums[column] = 0 }
          for index in block * 32..<min(block * 32 + 32, p.count) {
            let factor = Int32(encoded.payload[index])
            let line = (group * form.kv + first + index) * d
            for column in 0..<d { sums[column] &+= factor &* Int32(payload[line &+ column]) }
          }
          let line = (group * MXINT8.blocks(form.kv) + first / 32 + block) * d
          for column in 0..<d {
            let value = BlockMAC.value(
              sum: sums[column], a: E8M0(bits: encoded.scales[block]),
              b: E8M0(bits: v.scales[line + column]))
            chains[column] = accumulator.add(chains[column], value)
            magnitudes[column] += Double(chains[column].magnitude)
          }
        }
      }
    }
    return (chains, magnitudes, encoded.scales)
  }
}
