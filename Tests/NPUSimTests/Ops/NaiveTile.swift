import NPUSim

/// A tile's contents, decoded element by element with the scalar definitions.
struct NaiveTile {
  let rows: Int
  let columns: Int
  let format: ElementFormat
  let axis: BlockAxis
  let payload: [UInt8]
  let scales: [UInt8]

  init(_ tap: TapTensor) {
    rows = tap.buffer.rows
    columns = tap.buffer.columns
    format = tap.buffer.format
    axis = tap.buffer.axis
    payload = tap.payload
    scales = tap.scales
  }

  /// Element bytes as a little-endian word.
  func word(_ row: Int, _ column: Int) -> UInt32 {
    let start = (row * columns + column) * format.bytes
    return (0..<format.bytes).reduce(0) { $0 | UInt32(payload[start + $1]) << UInt32(8 * $1) }
  }

  func scale(_ row: Int, _ column: Int) -> E8M0 {
    switch axis {
    case .alongColumns: E8M0(bits: scales[row * ((columns + 31) / 32) + column / 32])
    case .alongRows: E8M0(bits: scales[row / 32 * columns + column])
    }
  }

  func callAsFunction(_ row: Int, _ column: Int) -> Float {
    let word = word(row, column)
    switch format {
    case .bf16: return BF16(bits: UInt16(word)).float
    case .f16: return FP16(bits: UInt16(word)).float
    case .f32: return Float(bitPattern: word)
    case .e4m3fn: return E4M3FN(bits: UInt8(word)).float
    case .e5m2: return E5M2(bits: UInt8(word)).float
    case .e8m0: return E8M0(bits: UInt8(word)).float
    case .i8: return Float(Int8(truncatingIfNeeded: word))
    case .i32: return Float(Int32(bitPattern: word))
    case .mxint8:
      return MXINT8.decode(Int8(truncatingIfNeeded: word), scale: scale(row, column))
    }
  }

  func row(_ row: Int) -> [Float] { (0..<columns).map { self(row, $0) } }

  /// The word that a value becomes in a format.
  static func round(_ value: Float, _ format: ElementFormat, saturating: Bool = true) -> UInt32 {
    switch format {
    case .bf16: UInt32(BF16(value).bits)
    case .f16: UInt32(FP16(value).bits)
    case .e4m3fn: UInt32(E4M3FN(value, saturating: saturating).bits)
    case .e5m2: UInt32(E5M2(value, saturating: saturating).bits)
    default: value.bitPattern
    }
  }
}

/// What a naive reading of a micro-op expects of a result.
enum NaiveResult {
  /// FP32 values by row and column, to be rounded once to the result's format.
  case values((Int, Int) -> Float)
  /// Words by row and column, already in the result's format.
  case words((Int, Int) -> UInt32)
  /// MXINT8 of FP32 values along the result's axis.
  case blocks((Int, Int) -> Float)
  /// Words and scales of the source at a place.
  case copy(NaiveTile, (Int, Int) -> (Int, Int))

  /// The first difference from a result, or `nil`.
  func difference(from got: NaiveTile, saturating: Bool = true) -> String? {
    for row in 0..<got.rows {
      for column in 0..<got.columns {
        let word = got.word(row, column)
        let expected: UInt32
        switch self {
        case .values(let value):
          expected = NaiveTile.round(value(row, column), got.format, saturating: saturating)
        case .words(let words): expected = words(row, column)
        case .copy(let source, let place):
          let (r, c) = place(row, column)
          expected = source.word(r, c)
          if got.format == .mxint8 && source.scale(r, c) != got.scale(row, column) {
            return "[\(row), \(column)] has scale \(got.scale(row, column).bits)"
          }
        case .blocks(let value):
          let along = got.axis == .alongColumns
          let first = (along ? column : row) / 32 * 32
          let end = min(first + 32, along ? got.columns : got.rows)
          let block = (first..<end).map { along ? value(row, $0) : value($0, column) }
          let (scale, payload) = MXINT8.encodeBlock(block)
          expected = UInt32(UInt8(bitPattern: payload[(along ? column : row) - first]))
          if scale != got.scale(row, column) {
            return "[\(row), \(column)] has scale \(got.scale(row, column).bits) for \(scale.bits)"
          }
        }
        if word != expected {
          return "[\(row), \(column)] is \(hex(word)) for \(hex(expected))"
        }
      }
    }
    return nil
  }
}
