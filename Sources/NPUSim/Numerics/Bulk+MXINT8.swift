extension Bulk {
  /// ``MXINT8/encodeBlock(_:)`` along each row (axis −1).
  ///
  /// - Parameters:
  ///   - source: rows × cols Floats, `sourceStride` elements from row to row.
  ///   - payload: rows × 32·⌈cols/32⌉ bytes, all written: the last block is padded with zeros.
  ///   - scales: rows × ⌈cols/32⌉ bytes.
  public static func encodeMXRows(
    _ source: UnsafePointer<Float>, sourceStride: Int, rows: Int, cols: Int,
    payload: UnsafeMutablePointer<Int8>, payloadStride: Int,
    scales: UnsafeMutablePointer<UInt8>, scaleStride: Int
  ) {
    if rows <= 0 || cols <= 0 { return }
    let whole = cols / 32
    let rest = cols % 32
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 32) { padded in
      guard let tail = padded.baseAddress else { return }
      for row in 0..<rows {
        let from = source + row &* sourceStride
        let to = payload + row &* payloadStride
        let scale = scales + row &* scaleStride
        for block in 0..<whole {
          scale[block] = encodeBlock(from + block &* 32, to + block &* 32)
        }
        if rest > 0 {
          for index in 0..<32 { tail[index] = index < rest ? from[whole &* 32 &+ index] : 0 }
          scale[whole] = encodeBlock(tail, to + whole &* 32)
        }
      }
    }
  }

  /// ``MXINT8/encodeBlock(_:)`` down each column (axis −2).
  ///
  /// - Parameters:
  ///   - source: rows × cols Floats.
  ///   - payload: 32·⌈rows/32⌉ × cols bytes, all written: the last block is padded with zero rows.
  ///   - scales: ⌈rows/32⌉ × cols bytes.
  public static func encodeMXColumns(
    _ source: UnsafePointer<Float>, sourceStride: Int, rows: Int, cols: Int,
    payload: UnsafeMutablePointer<Int8>, payloadStride: Int,
    scales: UnsafeMutablePointer<UInt8>, scaleStride: Int
  ) {
    if rows <= 0 || cols <= 0 { return }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 &* cols) { work in
      guard let first = work.baseAddress else { return }
      let second = first + cols
      var block = 0
      while block &* 32 < rows {
        let top = block &* 32
        let present = Swift.min(32, rows &- top)
        let scale = scales + block &* scaleStride
        for col in 0..<cols { scale[col] = 0 }
        for row in 0..<present {
          let from = source + (top &+ row) &* sourceStride
          for col in 0..<cols {
            let field = UInt8(truncatingIfNeeded: from[col].bitPattern &>> 23)
            scale[col] = field > scale[col] ? field : scale[col]
          }
        }
        for col in 0..<cols {
          let factors = scaleFactors(UInt32(scale[col]))
          first[col] = factors.0
          second[col] = factors.1
        }
        for row in 0..<32 {
          let to = payload + (top &+ row) &* payloadStride
          if row >= present {
            for col in 0..<cols { to[col] = 0 }
            continue
          }
          let from = source + (top &+ row) &* sourceStride
          for col in 0..<cols {
            let code = payloadWord(from[col], first[col], second[col])
            to[col] = scale[col] == 0xFF ? 0 : code
          }
        }
        block &+= 1
      }
    }
  }

  /// ``MXINT8/decode(_:scale:)`` for blocks along each row: rows × cols Floats.
  public static func decodeMXRows(
    _ payload: UnsafePointer<Int8>, payloadStride: Int, scales: UnsafePointer<UInt8>,
    scaleStride: Int, rows: Int, cols: Int, destination: UnsafeMutablePointer<Float>,
    destinationStride: Int
  ) {
    for row in 0..<Swift.max(rows, 0) {
      let from = payload + row &* payloadStride
      let scale = scales + row &* scaleStride
      let to = destination + row &* destinationStride
      var start = 0
      while start < cols {
        let factor = decodeFactor(UInt32(scale[start &>> 5]))
        let end = Swift.min(start &+ 32, cols)
        for col in start..<end { to[col] = FP32.canonical(Float(from[col]) * factor) }
        start = end
      }
    }
  }

  /// ``MXINT8/decode(_:scale:)`` for blocks down each column: rows × cols Floats.
  public static func decodeMXColumns(
    _ payload: UnsafePointer<Int8>, payloadStride: Int, scales: UnsafePointer<UInt8>,
    scaleStride: Int, rows: Int, cols: Int, destination: UnsafeMutablePointer<Float>,
    destinationStride: Int
  ) {
    if rows <= 0 || cols <= 0 { return }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: cols) { work in
      guard let factors = work.baseAddress else { return }
      for row in 0..<rows {
        if row & 31 == 0 {
          let scale = scales + (row &>> 5) &* scaleStride
          for col in 0..<cols { factors[col] = decodeFactor(UInt32(scale[col])) }
        }
        let from = payload + row &* payloadStride
        let to = destination + row &* destinationStride
        for col in 0..<cols { to[col] = FP32.canonical(Float(from[col]) * factors[col]) }
      }
    }
  }

  /// Encodes 32 Floats and returns the scale byte.
  @inline(__always)
  private static func encodeBlock(
    _ source: UnsafePointer<Float>, _ payload: UnsafeMutablePointer<Int8>
  ) -> UInt8 {
    // The largest magnitude word has the largest exponent field.
    var largest: Int32 = 0
    for index in 0..<32 {
      let magnitude = Int32(bitPattern: source[index].bitPattern & 0x7FFF_FFFF)
      largest = magnitude > largest ? magnitude : largest
    }
    let field = UInt32(bitPattern: largest) &>> 23
    if field == 0xFF {
      for index in 0..<32 { payload[index] = 0 }
      return 0xFF
    }
    let (first, second) = scaleFactors(field)
    for index in 0..<32 { payload[index] = payloadWord(source[index], first, second) }
    return UInt8(truncatingIfNeeded: field)
  }

  /// Two Floats whose product is 2^(133 − B), the first one applied without rounding.
  ///
  /// The power itself leaves FP32's range for B < 6. There the values are small, so 2^16 can be
  /// multiplied in exactly first.
  @inline(__always)
  private static func scaleFactors(_ field: UInt32) -> (Float, Float) {
    let small = field < 32
    let exponent = small ? 244 &- field : 260 &- field
    return (small ? 0x1p16 : 1, Float(bitPattern: (exponent & 0xFF) &<< 23))
  }

  /// RNE of a value scaled to −128 < t < 128, clamped to ±127. Clamping first is the same, since
  /// rounding is monotonic and keeps integers; adding 1.5 · 2^23 leaves the rounded integer in
  /// the low bits. Scaling may round only where the result is far below one half.
  @inline(__always)
  private static func payloadWord(_ value: Float, _ first: Float, _ second: Float) -> Int8 {
    var scaled = value * first * second
    scaled = scaled > 127 ? 127 : scaled
    scaled = scaled < -127 ? -127 : scaled
    return Int8(truncatingIfNeeded: (scaled + 12_582_912).bitPattern)
  }

  /// 2^(B − 133) as FP32 (a subnormal for B < 7); NaN for B = 255.
  @inline(__always)
  private static func decodeFactor(_ scale: UInt32) -> Float {
    let normal = (scale &- 6) &<< 23
    let subnormal = 1 &<< ((scale &+ 16) & 31)
    let bits = scale < 7 ? subnormal : normal
    return Float(bitPattern: scale == 0xFF ? 0x7FC0_0000 : bits)
  }
}
