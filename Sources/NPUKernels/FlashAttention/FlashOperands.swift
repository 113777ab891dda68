import NPUSim

/// The operands of an attention as the matrix unit sees them, with the values they stand for.
struct FlashOperands: Sendable {
  let form: FlashShape
  /// BF16 values of q, widened: rows × d.
  let q: [Float]
  /// Lines are the keys of a group, d deep.
  let k: ProductMatrix
  /// Lines are the columns of a group, kv deep.
  let v: ProductMatrix

  /// Throws `.internal` where an input is missing, and what reading its words throws.
  init(_ form: FlashShape, _ inputs: [String: TensorValue]) throws(NPUError) {
    self.form = form
    guard case .plain(let queries) = inputs["q"] else {
      throw NPUError(.internal, "flash_attention was not given q")
    }
    q = try queries.floats()
    let rows = try FlashCacheRows(form, inputs)
    let d = form.headDim
    if case .mx(let keys) = inputs["k"], case .mx(let values) = inputs["v"] {
      k = ProductMatrix(
        payload: ReferencePayload(
          rows.gather(try keys.payload.words(as: Int8.self), width: d)),
        scales: rows.gather(keys.scale.storage, width: MXINT8.blocks(d)), lines: form.kv, depth: d,
        layout: .lines, hasEnergies: true)
      v = ProductMatrix(
        payload: ReferencePayload(
          rows.gather(try values.payload.words(as: Int8.self), width: d)),
        scales: rows.gatherBlocks(values.scale.storage, width: d), lines: d, depth: form.kv,
        layout: .columns, hasEnergies: true)
      return
    }
    k = ProductMatrix(
      encoding: try Self.values("k", form, rows, inputs), slabs: form.groups, lines: form.kv,
      depth: d, layout: .lines)
    v = ProductMatrix(
      encoding: try Self.values("v", form, rows, inputs), slabs: form.groups, lines: d,
      depth: form.kv, layout: .columns)
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

  /// Row `row` of q in MXINT8.
  func query(_ row: Int) -> ProductRow {
    ProductRow(encoding: Array(q[row * form.headDim..<(row + 1) * form.headDim]))
  }
}
