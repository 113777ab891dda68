import NPUSim

/// The operands of an attention, made where they are used: the reference never holds more of K and V
/// than the keys that it is at.
struct FlashOperands: Sendable {
  /// Some keys of a group and their values as the matrix unit sees them, with what they stand for.
  struct Tile {
    /// Lines are the keys, d deep.
    let k: ProductMatrix
    /// Lines are the d columns, as deep as there are keys.
    let v: ProductMatrix
  }

  /// K or V as it was given.
  private enum Cache: Sendable {
    case words(InputRows)
    /// FP8 codes, the FP32 scales of their blocks, and the value of each code.
    case codes([UInt8], scales: InputRows, values: [Float])
    case encoded(MXTensor)
  }

  private let form: FlashShape
  private let rows: FlashCacheRows
  private let q: InputRows
  private let k: Cache
  private let v: Cache

  /// Throws `.internal` where an input is missing, and what reading its words throws.
  init(_ form: FlashShape, _ inputs: [String: TensorValue]) throws(NPUError) {
    self.form = form
    rows = try FlashCacheRows(form, inputs)
    q = try InputRows("q", columns: form.headDim, inputs)
    k = try Self.cache("k", form, inputs)
    v = try Self.cache("v", form, inputs)
  }

  private static func cache(
    _ name: String, _ form: FlashShape, _ inputs: [String: TensorValue]
  ) throws(NPUError) -> Cache {
    switch inputs[name] {
    case .mx(let tensor): return .encoded(tensor)
    case .plain(let tensor):
      guard let format = form.kvFormat.fp8 else {
        return .words(try InputRows(name, columns: form.headDim, inputs))
      }
      return .codes(
        tensor.storage,
        scales: try InputRows(name + "_scale", columns: form.scaleBlocks, inputs),
        values: (0...255).map { format.value(UInt8($0)) })
    case nil: throw NPUError(.internal, "flash_attention was not given \(name)")
    }
  }

  /// Row `row` of q: BF16 values, widened.
  func query(_ row: Int) -> [Float] { q[row] }

  /// The operands of the products over some keys of a group, from a multiple of 32 on.
  func tile(_ keys: Range<Int>, of group: Int) -> Tile {
    Tile(
      k: matrix(k, keys, of: group, lines: keys.count, depth: form.headDim, .lines),
      v: matrix(v, keys, of: group, lines: form.headDim, depth: keys.count, .columns))
  }

  private func matrix(
    _ cache: Cache, _ keys: Range<Int>, of group: Int, lines: Int, depth: Int,
    _ layout: ProductMatrix.Layout
  ) -> ProductMatrix {
    guard case .encoded(let tensor) = cache else {
      return ProductMatrix(
        encoding: values(cache, keys, of: group), lines: lines, depth: depth, layout: layout)
    }
    let payload = keys.flatMap { key in
      let row = rows.row(group: group, key: key)
      return tensor.payload.storage[row * form.headDim..<(row + 1) * form.headDim]
    }
    // K has its blocks along each key, V over 32 keys.
    let scales =
      layout == .lines
      ? keys.flatMap { key in
        let (row, width) = (rows.row(group: group, key: key), MXINT8.blocks(form.headDim))
        return tensor.scale.storage[row * width..<(row + 1) * width]
      } : Self.blocks(keys).flatMap { valueScales(tensor, block: $0, of: group) }
    return ProductMatrix(
      payload: ReferencePayload(bytes: payload), scales: scales, lines: lines, depth: depth,
      layout: layout, hasEnergies: true)
  }

  /// The values of k at some keys of a group; not of a cache in MXINT8.
  func keys(_ keys: Range<Int>, of group: Int) -> [Float] { values(k, keys, of: group) }

  /// The values of v at some keys of a group; not of a cache in MXINT8.
  func values(_ keys: Range<Int>, of group: Int) -> [Float] { values(v, keys, of: group) }

  /// BF16 words widened, or `fl32(code · scale)` of FP8 codes.
  private func values(_ cache: Cache, _ keys: Range<Int>, of group: Int) -> [Float] {
    let rows = keys.map { self.rows.row(group: group, key: $0) }
    switch cache {
    case .words(let words): return rows.flatMap { words[$0] }
    case .codes(let codes, let scales, let values):
      return rows.flatMap { row in
        let scales = scales[row]
        return (0..<form.headDim).map { column in
          FP32.mul(
            values[Int(codes[row * form.headDim + column])],
            scales[column / FP8Block.blockSize])
        }
      }
    case .encoded: return []
    }
  }

  /// Of each column of v, whether an element at some keys of a group is NaN or infinite as it came, or
  /// its block is.
  func hasNonFiniteValues(_ keys: Range<Int>, of group: Int) -> [Bool] {
    var result = [Bool](repeating: false, count: form.headDim)
    if case .encoded(let tensor) = v {
      for block in Self.blocks(keys) {
        for (column, scale) in valueScales(tensor, block: block, of: group).enumerated()
        where scale == 0xFF { result[column] = true }
      }
      return result
    }
    for key in keys {
      for (column, value) in values(key..<key + 1, of: group).enumerated() where !value.isFinite {
        result[column] = true
      }
    }
    return result
  }

  /// The 32-blocks that keys lie in.
  private static func blocks(_ keys: Range<Int>) -> Range<Int> {
    keys.isEmpty ? 0..<0 : keys.lowerBound / MXINT8.blockSize..<MXINT8.blocks(keys.upperBound)
  }

  /// The scales of a block of 32 keys of v, one for each column.
  private func valueScales(
    _ tensor: MXTensor, block: Int, of group: Int
  ) -> ArraySlice<UInt8> {
    let (slot, row) = rows.place(group: group, key: block * MXINT8.blockSize)
    let line = slot * MXINT8.blocks(form.page ?? form.kv) + row / MXINT8.blockSize
    return tensor.scale.storage[line * form.headDim..<(line + 1) * form.headDim]
  }
}
