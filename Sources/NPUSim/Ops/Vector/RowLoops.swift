/// The loops of the vector unit: a chunk of a row is widened to FP32, computed on, and rounded once.
extension Datapath {
  /// `to[r, c] = body(from[r, c])`, in chunks of a row; `operands` says what an argument is.
  mutating func mapRows(
    _ to: TileView, _ from: TileView, saturating: Bool = true, counting: Bool = true,
    operands: (Float) -> OperandKind = { OperandKind($0) },
    _ body: (UnsafeMutablePointer<Float>, UnsafePointer<Float>, Int) -> Void
  ) {
    let source = scratch(0)
    let result = scratch(1)
    for row in 0..<to.rows {
      var column = 0
      while column < to.columns {
        let count = min(Datapath.chunk, to.columns - column)
        widen(from.row(row) + column * from.format.bytes, from.format, to: source, count: count)
        body(result, source, count)
        narrow(
          result, to: to.row(row) + column * to.format.bytes, to.format, count: count,
          saturating: saturating, counting: counting
        ) { operands(source[$0]) }
        column += count
      }
    }
  }

  /// `to[r, c] = body(a[r, c], b[r, c])`, in chunks of a row.
  mutating func zipRows(
    _ to: TileView, _ a: TileView, _ b: TileView, counting: Bool = true,
    _ body: (UnsafeMutablePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, Int) -> Void
  ) {
    let first = scratch(0)
    let second = scratch(1)
    let result = scratch(2)
    for row in 0..<to.rows {
      var column = 0
      while column < to.columns {
        let count = min(Datapath.chunk, to.columns - column)
        widen(a.row(row) + column * a.format.bytes, a.format, to: first, count: count)
        widen(b.row(row) + column * b.format.bytes, b.format, to: second, count: count)
        body(result, first, second, count)
        narrow(
          result, to: to.row(row) + column * to.format.bytes, to.format, count: count,
          counting: counting
        ) { OperandKind(first[$0], second[$0]) }
        column += count
      }
    }
  }

  /// `to[r, c] = a[r, c] ∘ b[r, c]` of BF16 words, straight from word to word.
  mutating func combineRows(
    _ operation: Bulk.Binary, _ to: TileView, _ a: TileView, _ b: TileView, counting: Bool
  ) {
    for row in 0..<to.rows {
      let words = to.words(row)
      let (first, second) = (UnsafePointer(a.words(row)), UnsafePointer(b.words(row)))
      func operands(_ index: Int) -> (Float, Float) {
        (BF16(bits: first[index]).float, BF16(bits: second[index]).float)
      }
      let isInPlace = UnsafePointer(words) == first || UnsafePointer(words) == second
      guard counting && isInPlace else {
        Bulk.combine(operation, bf16: words, first, second, count: to.columns)
        guard counting else { continue }
        countNonFinite(bf16: words, count: to.columns) {
          let (x, y) = operands($0)
          return OperandKind(x, y)
        }
        continue
      }
      let isSpecial =
        Bulk.hasSpecial(first, exponent: 0x7F80, count: to.columns)
        || Bulk.hasSpecial(second, exponent: 0x7F80, count: to.columns)
      guard isSpecial else {
        Bulk.combine(operation, bf16: words, first, second, count: to.columns)
        countNonFinite(bf16: words, count: to.columns) { _ in .finite }
        continue
      }
      // Results take the place of what they are judged by: one at a time.
      for index in 0..<to.columns {
        let (x, y) = operands(index)
        let result = BF16(operation(x, y))
        words[index] = result.bits
        if !result.float.isFinite {
          health.add(isNaN: result.float.isNaN, of: OperandKind(x, y))
        }
      }
    }
  }

  /// `to[r, c] = body(a[r, c], column[r])`, in chunks of a row.
  mutating func zipColumn(
    _ to: TileView, _ a: TileView, _ column: TileView, counting: Bool = true,
    _ body: (UnsafeMutablePointer<Float>, UnsafePointer<Float>, Float, Int) -> Void
  ) {
    let source = scratch(0)
    let result = scratch(1)
    for row in 0..<to.rows {
      let value = element(column, row)
      var start = 0
      while start < to.columns {
        let count = min(Datapath.chunk, to.columns - start)
        widen(a.row(row) + start * a.format.bytes, a.format, to: source, count: count)
        body(result, source, value, count)
        narrow(
          result, to: to.row(row) + start * to.format.bytes, to.format, count: count,
          counting: counting
        ) { OperandKind(source[$0], value) }
        start += count
      }
    }
  }

  /// The first element of a row, widened.
  func element(_ view: TileView, _ row: Int) -> Float {
    var value: Float = 0
    widen(view.row(row), view.format, to: &value, count: 1)
    return value
  }

  /// Rounds one value into the first element of a row; `operands` is what it was computed from, or
  /// `nil` where it was only chosen.
  mutating func setElement(
    _ view: TileView, _ row: Int, _ value: Float, operands: OperandKind?
  ) {
    var copy = value
    narrow(&copy, to: view.row(row), view.format, count: 1, counting: operands != nil) { _ in
      operands ?? .finite
    }
  }
}

extension UnsafePointer<Float> {
  /// Whether the first `count` values are finite.
  func isFinite(count: Int) -> Bool {
    !Bulk.hasSpecial(
      UnsafeRawPointer(self).assumingMemoryBound(to: UInt32.self), count: count)
  }
}

extension UnsafeMutablePointer<Float> {
  /// Whether the first `count` values are finite.
  func isFinite(count: Int) -> Bool { UnsafePointer(self).isFinite(count: count) }
}
