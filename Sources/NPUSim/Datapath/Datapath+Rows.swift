/// Rows of elements as FP32, and back: every micro-op widens, computes in FP32, and rounds once.
extension Datapath {
  /// Widens `count` elements exactly. Only formats with a value of their own: not `mxint8`, whose
  /// elements need their scales, and not the integers.
  public func widen(
    _ bytes: UnsafePointer<UInt8>, _ format: ElementFormat, to floats: UnsafeMutablePointer<Float>,
    count: Int
  ) {
    let raw = UnsafeRawPointer(bytes)
    switch format {
    case .bf16:
      Bulk.bf16ToFloat(raw.assumingMemoryBound(to: UInt16.self), floats, count: count)
    case .f16:
      Bulk.f16ToFloat(raw.assumingMemoryBound(to: UInt16.self), floats, count: count)
    case .f32:
      floats.update(from: raw.assumingMemoryBound(to: Float.self), count: count)
    case .e4m3fn:
      Bulk.e4m3fnToFloat(bytes, floats, count: count)
    case .e5m2:
      Bulk.e5m2ToFloat(bytes, floats, count: count)
    case .e8m0:
      for index in 0..<count { floats[index] = E8M0(bits: bytes[index]).float }
    case .i8, .i32, .mxint8:
      for index in 0..<count { floats[index] = FP32.canonicalNaN }
    }
  }

  /// Rounds `count` FP32 values once to `format` and counts what is not finite, by what its operands
  /// were, unless the micro-op only chose among values that existed (`counting` false). `saturating`
  /// is the overflow rule of the FP8 formats.
  public mutating func narrow(
    _ floats: UnsafePointer<Float>, to bytes: UnsafeMutablePointer<UInt8>, _ format: ElementFormat,
    count: Int, saturating: Bool = true, counting: Bool = true, operands: (Int) -> OperandKind
  ) {
    let before = health
    defer { if !counting { health = before } }
    let raw = UnsafeMutableRawPointer(bytes)
    switch format {
    case .bf16:
      let words = raw.assumingMemoryBound(to: UInt16.self)
      Bulk.floatToBF16(floats, words, count: count)
      health.countNonFinite(words, exponent: 0x7F80, count: count, operands: operands)
    case .f16:
      let words = raw.assumingMemoryBound(to: UInt16.self)
      Bulk.floatToF16(floats, words, count: count)
      health.countNonFinite(words, exponent: 0x7C00, count: count, operands: operands)
    case .f32:
      let words = raw.assumingMemoryBound(to: UInt32.self)
      UnsafeMutableRawPointer(bytes).copyMemory(
        from: UnsafeRawPointer(floats), byteCount: count * 4)
      health.countNonFinite(words, count: count, operands: operands)
    case .e4m3fn:
      if saturating { countSaturated(floats, limit: 464, count: count) }
      Bulk.floatToE4M3FN(floats, bytes, count: count, saturating: saturating)
      health.countNonFinite(bytes, .e4m3fn, count: count, operands: operands)
    case .e5m2:
      if saturating { countSaturated(floats, limit: 61440, count: count) }
      Bulk.floatToE5M2(floats, bytes, count: count, saturating: saturating)
      health.countNonFinite(bytes, .e5m2, count: count, operands: operands)
    case .e8m0, .i8, .i32, .mxint8:
      bytes.update(repeating: 0, count: count * format.bytes)
    }
  }

  /// Counts the NaN and infinite BF16 words by what their operands were.
  mutating func countNonFinite(
    bf16 words: UnsafePointer<UInt16>, count: Int, operands: (Int) -> OperandKind
  ) {
    health.countNonFinite(words, exponent: 0x7F80, count: count, operands: operands)
  }

  private mutating func countSaturated(
    _ floats: UnsafePointer<Float>, limit: Float, count: Int
  ) {
    var found = 0
    for index in 0..<count { found &+= floats[index].magnitude >= limit ? 1 : 0 }
    health.saturated += found
  }
}
