import CDatapath

extension FP8Block {
  /// The scalar definitions over one block in memory. Returns the scale's word: FP32 bits, or the
  /// E8M0 byte.
  ///
  /// - Parameters:
  ///   - values: `count` Floats, at most ``blockSize``.
  ///   - codes: `count` bytes.
  public static func encode(
    _ values: UnsafePointer<Float>, count: Int, format: Format, rule: ScaleRule,
    codes: UnsafeMutablePointer<UInt8>, path: DatapathPath = .active
  ) -> UInt32 {
    guard let native = path.native else {
      return encode(Array(UnsafeBufferPointer(start: values, count: count)), format, rule, codes)
    }
    let largest = npu_finite_maximum(native, values, count)
    switch rule {
    case .fp32:
      let scale = largest * format.reciprocal
      npu_quantise_fp8(native, format.native, 0, 1, scale, values, codes, count)
      return scale.bitPattern
    case .e8m0(let roundsUp):
      let exact = (largest > 1e-4 ? largest : 1e-4) * format.reciprocal
      let scale = E8M0(exact, mode: roundsUp ? .ceil : .floor)
      let divisor = roundsUp ? scale.float : exact
      npu_quantise_fp8(native, format.native, 1, 0, divisor, values, codes, count)
      return UInt32(scale.bits)
    }
  }

  /// ``encode(_:count:format:rule:codes:path:)`` of each block of a row of BF16 words.
  ///
  /// - Parameters:
  ///   - codes: `count` bytes.
  ///   - scales: the word of each of ``blocks(_:)`` blocks' scales.
  public static func encodeRow(
    bf16 words: UnsafePointer<UInt16>, count: Int, format: Format, rule: ScaleRule,
    codes: UnsafeMutablePointer<UInt8>, scales: UnsafeMutablePointer<UInt32>,
    path: DatapathPath = .active
  ) {
    if let native = path.native {
      return npu_encode_fp8_row_bf16(
        native, format.native, rule.native, words, count, codes, scales)
    }
    for block in 0..<blocks(count) {
      let start = block * blockSize
      let values = (start..<min(start + blockSize, count)).map { BF16(bits: words[$0]).float }
      scales[block] = encode(values, format, rule, codes + start)
    }
  }

  /// The definitions themselves.
  private static func encode(
    _ values: [Float], _ format: Format, _ rule: ScaleRule, _ codes: UnsafeMutablePointer<UInt8>
  ) -> UInt32 {
    switch rule {
    case .fp32:
      let block = encode(values, format: format)
      codes.update(from: block.codes, count: values.count)
      return block.scale.bitPattern
    case .e8m0(let roundsUp):
      let block = encode(values, format: format, roundsUp: roundsUp)
      codes.update(from: block.codes, count: values.count)
      return UInt32(block.scale.bits)
    }
  }

  /// ``finiteMaximum(_:)`` over an array in memory.
  public static func finiteMaximum(
    _ values: UnsafePointer<Float>, count: Int, path: DatapathPath = .active
  ) -> Float {
    if let native = path.native { return npu_finite_maximum(native, values, count) }
    return finiteMaximum(UnsafeBufferPointer(start: values, count: count))
  }

  /// ``decode(_:format:scale:)`` in place: multiplies decoded codes of a row by their block's scale.
  ///
  /// - Parameters:
  ///   - values: `count` decoded codes, the first of which begins a block.
  ///   - scales: the scale of each block.
  public static func scale(
    _ values: UnsafeMutablePointer<Float>, by scales: UnsafePointer<Float>, count: Int
  ) {
    var start = 0
    while start < count {
      let present = min(blockSize, count - start)
      Bulk.mul(values + start, values + start, scalar: scales[start / blockSize], count: present)
      start += present
    }
  }
}

extension FP8Block.Format {
  /// The C name of the format.
  @inline(__always)
  var native: npu_fp8 { self == .e4m3fn ? npu_e4m3fn : npu_e5m2 }
}

extension FP8Block.ScaleRule {
  /// The C name of the rule.
  fileprivate var native: npu_scale_rule {
    switch self {
    case .fp32: npu_scale_fp32
    case .e8m0(roundsUp: true): npu_scale_e8m0_up
    case .e8m0(roundsUp: false): npu_scale_e8m0_down
    }
  }
}
