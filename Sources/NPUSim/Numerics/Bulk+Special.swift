extension Bulk {
  /// ``SpecialFunction/fp32(_:mode:)`` over an array. The destination may be the source.
  public static func special(
    _ function: SpecialFunction, mode: SFUMode, _ source: UnsafePointer<Float>,
    _ destination: UnsafeMutablePointer<Float>, count: Int
  ) {
    if mode == .expu && (function == .exp || function == .reciprocal) {
      var index = 0
      while index < count {
        destination[index] = function.fp32(source[index], mode: .expu)
        index &+= 1
      }
      return
    }
    // One loop per function, so that the switch inside is resolved outside the loop.
    switch function {
    case .exp: loop(.exp, source, destination, count)
    case .exp2: loop(.exp2, source, destination, count)
    case .reciprocal:
      var index = 0
      while index < count {
        destination[index] = FP32.canonical(1 / source[index])
        index &+= 1
      }
    case .rsqrt: loop(.rsqrt, source, destination, count)
    case .sin: loop(.sin, source, destination, count)
    case .cos: loop(.cos, source, destination, count)
    case .sigmoid: loop(.sigmoid, source, destination, count)
    case .silu: loop(.silu, source, destination, count)
    case .log: loop(.log, source, destination, count)
    }
  }

  /// ``SpecialFunction/fp32ToBF16(_:mode:)`` over an array; the results are BF16 words.
  public static func specialToBF16(
    _ function: SpecialFunction, mode: SFUMode, _ source: UnsafePointer<Float>,
    _ destination: UnsafeMutablePointer<UInt16>, count: Int
  ) {
    var index = 0
    while index < count {
      destination[index] = function.fp32ToBF16(source[index], mode: mode).bits
      index &+= 1
    }
  }

  @inline(__always)
  private static func loop(
    _ function: SpecialFunction, _ source: UnsafePointer<Float>,
    _ destination: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    var index = 0
    while index < count {
      let x = source[index]
      if let value = function.specialValue(x) {
        destination[index] = value
      } else {
        let value = function.approximate(Double(x))
        let below = Float(value * (1 - 0x1p-46))
        let above = Float(value * (1 + 0x1p-46))
        destination[index] =
          below == above
          ? above : Float(bitPattern: function.refined(Double(x), to: .fp32).word)
      }
      index &+= 1
    }
  }
}
