extension FP8Block {
  /// The scalar definitions over one block in memory. Returns the scale's word: FP32 bits, or the
  /// E8M0 byte.
  ///
  /// - Parameters:
  ///   - values: `count` Floats, at most ``blockSize``; overwritten with what is rounded to codes.
  ///   - codes: `count` bytes.
  public static func encode(
    _ values: UnsafeMutablePointer<Float>, count: Int, format: Format, rule: ScaleRule,
    codes: UnsafeMutablePointer<UInt8>
  ) -> UInt32 {
    let largest = finiteMaximum(values, count: count)
    let word: UInt32
    switch rule {
    case .fp32:
      let scale = largest * format.reciprocal
      word = scale.bitPattern
      for index in 0..<count {
        let quotient = values[index] / scale
        let isFinite = quotient.bitPattern & 0x7F80_0000 != 0x7F80_0000
        values[index] = isFinite ? quotient : values[index]
      }
    case .e8m0(let roundsUp):
      let exact = (largest > 1e-4 ? largest : 1e-4) * format.reciprocal
      let scale = E8M0(exact, mode: roundsUp ? .ceil : .floor)
      let divisor = roundsUp ? scale.float : exact
      word = UInt32(scale.bits)
      Bulk.div(values, values, scalar: divisor, count: count)
    }
    let saturating = rule != .fp32
    switch format {
    case .e4m3fn: Bulk.floatToE4M3FN(values, codes, count: count, saturating: saturating)
    case .e5m2: Bulk.floatToE5M2(values, codes, count: count, saturating: saturating)
    }
    return word
  }

  /// ``finiteMaximum(_:)`` over an array in memory.
  public static func finiteMaximum(_ values: UnsafePointer<Float>, count: Int) -> Float {
    // Magnitudes order as their words do.
    var largest: Int32 = 0
    for index in 0..<count {
      var word = Int32(bitPattern: values[index].bitPattern & 0x7FFF_FFFF)
      word = word < 0x7F80_0000 ? word : 0
      largest = word > largest ? word : largest
    }
    return Float(bitPattern: UInt32(bitPattern: largest))
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
