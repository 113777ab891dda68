import NPUSim

/// Micro-ops read naively: element by element, with the scalar definitions only.
struct NaiveOps {
  let mnemonic: String
  /// Contents before the micro-op of the tiles that it reads, by operand.
  let tiles: [String: NaiveTile]
  /// Formats of the tiles, by operand.
  let formats: [String: ElementFormat]
  let immediates: [String: RandomOperandVisitor.Immediate]
  let machine: MachineConfiguration

  private var parts: [Substring] { mnemonic.dropFirst(7).split(separator: "_") }

  private func tile(_ name: String) throws -> NaiveTile {
    guard let tile = tiles[name] else { throw NPUError(.internal, "no operand \(name)") }
    return tile
  }

  private func scalar(_ name: String) -> Float {
    if case .scalar(let value) = immediates[name] { return value }
    return .nan
  }

  private func integer(_ name: String) -> Int {
    if case .integer(let value) = immediates[name] { return value }
    return .min
  }

  private func word(_ name: String) -> String {
    if case .choice(let value) = immediates[name] { return value }
    return ""
  }

  var saturating: Bool { word("saturating") != "no" }

  /// What each result should be, by operand; `nil` for a micro-op that has no naive reading.
  func expected() throws -> [String: NaiveResult]? {
    switch mnemonic.prefix(while: { $0 != "." }) {
    case "load", "store", "feed", "drain": return try movement()
    case "matrix": return try matmul()
    default: break
    }
    if let results = try arithmetic() { return results }
    if let results = try reductions() { return results }
    if let results = try formatting() { return results }
    if let results = try blocks() { return results }
    return try attention()
  }

  private func movement() throws -> [String: NaiveResult] {
    let source = try tile("source")
    if mnemonic.hasPrefix("drain") { return ["destination": .values { source($0, $1) }] }
    let isTurned = mnemonic.hasSuffix("transposed")
    return ["destination": .copy(source) { isTurned ? ($1, $0) : ($0, $1) }]
  }

  private func matmul() throws -> [String: NaiveResult] {
    let left = try tile("left")
    let right = try tile("right")
    let earlier = word("accumulate") == "yes" ? try tile("accumulator") : nil
    let depth = left.columns
    let mode = machine.matrix.accumulator
    return [
      "accumulator": .values { row, column in
        let a = (0..<depth).map { Int8(truncatingIfNeeded: left.word(row, $0)) }
        let b = (0..<depth).map { Int8(truncatingIfNeeded: right.word($0, column)) }
        let starts = stride(from: 0, to: depth, by: 32)
        return BlockMAC.dot(
          a, starts.map { left.scale(row, $0) }, b, starts.map { right.scale($0, column) },
          mode: mode, initial: earlier.map { $0(row, column) } ?? 0)
      }
    ]
  }

  private static func binary(_ name: Substring) -> ((Float, Float) -> Float)? {
    switch name {
    case "add": FP32.add
    case "sub": FP32.sub
    case "mul": FP32.mul
    case "div": FP32.div
    case "max": FP32.max
    default: nil
    }
  }

  private func arithmetic() throws -> [String: NaiveResult]? {
    if let function = SpecialFunction(rawValue: String(mnemonic.dropFirst(7))) {
      let a = try tile("a")
      let isBF16 = formats["result"] == .bf16
      return [
        "result": .values {
          isBF16
            ? function.fp32ToBF16(a($0, $1), mode: machine.sfuMode).float
            : function.fp32(a($0, $1), mode: machine.sfuMode)
        }
      ]
    }
    if mnemonic == "vector.abs" {
      let a = try tile("a")
      return ["result": .values { a($0, $1).isNaN ? FP32.canonicalNaN : a($0, $1).magnitude }]
    }
    guard let operation = Self.binary(parts[0]) else { return nil }
    let a = try tile("a")
    if parts.count == 1 {
      let b = try tile("b")
      return ["result": .values { operation(a($0, $1), b($0, $1)) }]
    }
    switch parts[1] {
    case "scalar": return ["result": .values { operation(a($0, $1), scalar("b")) }]
    case "column":
      let b = try tile("b")
      return ["result": .values { row, column in operation(a(row, column), b(row, 0)) }]
    default:
      let b = try tile("b")
      return ["result": .values { operation(a($0, $1), b($0, $1 / 128)) }]
    }
  }

  private func reductions() throws -> [String: NaiveResult]? {
    let lanes = machine.vector.lanes
    switch mnemonic {
    case "vector.row_sum":
      let a = try tile("a")
      let earlier = word("start") == "yes" ? nil : try tile("partials")
      return [
        "partials": .values { row, lane in
          var terms = stride(from: lane, to: a.columns, by: lanes).map { a(row, $0) }
          if let earlier { terms.insert(earlier(row, lane), at: 0) }
          let first = terms[0].isNaN ? FP32.canonicalNaN : terms[0]
          return terms.dropFirst().reduce(first, FP32.add)
        }
      ]
    case "vector.row_finish":
      let partials = try tile("partials")
      return [
        "result": .values { row, _ in
          var values = partials.row(row)
          var distance = lanes / 2
          while distance > 0 {
            for lane in 0..<distance where lane + distance < values.count {
              values[lane] = FP32.add(values[lane], values[lane + distance])
            }
            values = Array(values.prefix(distance))
            distance /= 2
          }
          return values.first ?? 0
        }
      ]
    case "vector.row_max":
      let a = try tile("a")
      let earlier = word("start") == "yes" ? nil : try tile("result")
      return [
        "result": .values { row, _ in
          a.row(row).reduce(earlier.map { $0(row, 0) } ?? -.infinity, FP32.max)
        }
      ]
    case "vector.arg_max":
      let a = try tile("a")
      let earlier: (index: NaiveTile, maximum: NaiveTile)? =
        word("start") == "yes" ? nil : (try tile("index"), try tile("maximum"))
      func best(_ row: Int) -> (index: UInt32, value: Float) {
        var all = a.row(row).enumerated().map { (UInt32(integer("base") + $0.offset), $0.element) }
        if let earlier { all.insert((earlier.index.word(row, 0), earlier.maximum(row, 0)), at: 0) }
        if let nan = all.first(where: { $0.1.isNaN }) { return nan }
        let largest = all.map(\.1).max() ?? 0
        return all.first { $0.1 == largest } ?? all[0]
      }
      return [
        "index": .words { row, _ in best(row).index },
        "maximum": .values { row, _ in best(row).value },
      ]
    default: return nil
    }
  }

  private func formatting() throws -> [String: NaiveResult]? {
    switch mnemonic {
    case "vector.cast", "vector.decode_mx":
      let a = try tile("a")
      return ["result": .values { a($0, $1) }]
    case "vector.copy":
      return ["result": .copy(try tile("a")) { ($0, $1) }]
    case "vector.transpose":
      return ["result": .copy(try tile("a")) { ($1, $0) }]
    case "vector.fill":
      return ["result": .values { _, _ in scalar("value") }]
    case "vector.encode_mx":
      let a = try tile("a")
      return ["result": .blocks { a($0, $1) }]
    case "vector.cast_scale":
      let a = try tile("a")
      let mode = E8M0.Mode(rawValue: word("rounding")) ?? .floor
      return ["result": .words { UInt32(E8M0(a($0, $1), mode: mode).bits) }]
    default: return nil
    }
  }

  private func block(_ a: NaiveTile, _ row: Int, _ index: Int) -> [Float] {
    (128 * index..<min(128 * index + 128, a.columns)).map { a(row, $0) }
  }

  private func blocks() throws -> [String: NaiveResult]? {
    switch mnemonic {
    case "vector.block_abs_max":
      let a = try tile("a")
      return ["result": .values { FP8Block.finiteMaximum(block(a, $0, $1)) }]
    case "vector.encode_fp8":
      let a = try tile("a")
      let format: FP8Block.Format = formats["codes"] == .e5m2 ? .e5m2 : .e4m3fn
      let rule: FP8Block.ScaleRule =
        formats["scales"] == .f32 ? .fp32 : .e8m0(roundsUp: word("round_scale") == "yes")
      let variant = FP8BlockTests.Variant(format: format, rule: rule, name: "")
      return [
        "codes": .words { UInt32(variant.define(block(a, $0, $1 / 128)).codes[$1 % 128]) },
        "scales": .words { variant.define(block(a, $0, $1)).word },
      ]
    case "vector.requantise_fp8":
      let codes = try tile("codes")
      let scales = try tile("scales")
      return ["result": .blocks { FP32.mul(codes($0, $1), scales($0, $1 / 128)) }]
    default: return nil
    }
  }

  private func attention() throws -> [String: NaiveResult]? {
    switch mnemonic {
    case "vector.exp2_fused":
      let a = try tile("a")
      let limit = try tile("row")
      let isBF16 = formats["result"] == .bf16
      return [
        "result": .values { row, column in
          if limit(row, 0) == -.infinity { return word("empty") == "one" ? 1 : 0 }
          let x = FP32.sub(FP32.mul(a(row, column), scalar("k")), limit(row, 0))
          return isBF16
            ? SpecialFunction.exp2.fp32ToBF16(x, mode: machine.sfuMode).float
            : SpecialFunction.exp2.fp32(x, mode: machine.sfuMode)
        }
      ]
    case "vector.rescale_add":
      let a = try tile("a")
      let b = try tile("b")
      let factor = try tile("factor")
      return [
        "result": .values { FP32.add(FP32.mul(a($0, $1), factor($0, 0)), b($0, $1)) }
      ]
    case "vector.mask":
      let a = try tile("a")
      let group = integer("rows_per_position")
      return [
        "result": .values { row, column in
          let distance = column - row / group
          let isSeen = distance >= integer("lowest") && distance <= integer("highest")
          return isSeen ? a(row, column) : -.infinity
        }
      ]
    case "vector.select", "vector.select_scalar":
      let a = try tile("a")
      let b = mnemonic == "vector.select" ? try tile("b") : nil
      let condition = try tile("condition")
      return [
        "result": .values { row, column in
          let flag = condition(row, condition.columns == 1 ? 0 : column)
          if flag != 0 { return a(row, column) }
          return b.map { $0(row, column) } ?? scalar("otherwise")
        }
      ]
    case "vector.select_finite":
      let a = try tile("a")
      let b = try tile("b")
      return ["result": .values { a($0, $1).isFinite ? a($0, $1) : b($0, $1) }]
    case "vector.rotate_pairs":
      let a = try tile("a")
      let cosine = try tile("cosine")
      let sine = try tile("sine")
      let half = a.columns / 2
      let isInterleaved = word("pairing") == "interleaved"
      return [
        "result": .values { row, column in
          let pair = isInterleaved ? column / 2 : column % half
          let isFirst = isInterleaved ? column % 2 == 0 : column < half
          let first = a(row, isInterleaved ? 2 * pair : pair)
          let second = a(row, isInterleaved ? 2 * pair + 1 : pair + half)
          let c = cosine(cosine.rows == 1 ? 0 : row, pair)
          let s = sine(sine.rows == 1 ? 0 : row, pair)
          return isFirst
            ? FP32.sub(FP32.mul(first, c), FP32.mul(second, s))
            : FP32.add(FP32.mul(second, c), FP32.mul(first, s))
        }
      ]
    default: return nil
    }
  }
}
