import CDatapath

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
    // One loop per function, so that the switches inside are resolved outside the loop.
    switch function {
    case .exp: fp32Loop(.exp, source, destination, count)
    case .exp2: fp32Loop(.exp2, source, destination, count)
    case .reciprocal: fp32Loop(.reciprocal, source, destination, count)
    case .rsqrt: fp32Loop(.rsqrt, source, destination, count)
    case .sin: fp32Loop(.sin, source, destination, count)
    case .cos: fp32Loop(.cos, source, destination, count)
    case .sigmoid: fp32Loop(.sigmoid, source, destination, count)
    case .silu: fp32Loop(.silu, source, destination, count)
    case .log: fp32Loop(.log, source, destination, count)
    }
  }

  /// ``SpecialFunction/fp32ToBF16(_:mode:)`` over an array; the results are BF16 words.
  public static func specialToBF16(
    _ function: SpecialFunction, mode: SFUMode, _ source: UnsafePointer<Float>,
    _ destination: UnsafeMutablePointer<UInt16>, count: Int
  ) {
    if mode == .expu && (function == .exp || function == .reciprocal) {
      var index = 0
      while index < count {
        destination[index] = function.fp32ToBF16(source[index], mode: .expu).bits
        index &+= 1
      }
      return
    }
    switch function {
    case .exp: bf16Loop(.exp, source, destination, count)
    case .exp2: bf16Loop(.exp2, source, destination, count)
    case .reciprocal: bf16Loop(.reciprocal, source, destination, count)
    case .rsqrt: bf16Loop(.rsqrt, source, destination, count)
    case .sin: bf16Loop(.sin, source, destination, count)
    case .cos: bf16Loop(.cos, source, destination, count)
    case .sigmoid: bf16Loop(.sigmoid, source, destination, count)
    case .silu: bf16Loop(.silu, source, destination, count)
    case .log: bf16Loop(.log, source, destination, count)
    }
  }

  /// ``SpecialFunction/bf16(_:mode:)`` of ``SpecialFunction/exp``, correctly rounded, over an array of
  /// BF16 words. The destination may be the source.
  public static func expBF16(
    _ source: UnsafePointer<UInt16>, _ destination: UnsafeMutablePointer<UInt16>, count: Int,
    path: DatapathPath = .active
  ) {
    if let native = path.native { return npu_exp_bf16(native, source, destination, count) }
    for index in 0..<Swift.max(count, 0) {
      let result = SpecialFunction.exp.bf16(BF16(bits: source[index]), mode: .correctlyRounded)
      destination[index] = result.bits
    }
  }

  @inline(__always)
  private static func fp32Loop(
    _ function: SpecialFunction, _ source: UnsafePointer<Float>,
    _ destination: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    var index = 0
    while index < count {
      destination[index] = function.correctlyRoundedFP32(source[index])
      index &+= 1
    }
  }

  @inline(__always)
  private static func bf16Loop(
    _ function: SpecialFunction, _ source: UnsafePointer<Float>,
    _ destination: UnsafeMutablePointer<UInt16>, _ count: Int
  ) {
    var index = 0
    while index < count {
      let word = function.correctlyRoundedBF16(source[index])
      destination[index] = UInt16(truncatingIfNeeded: word)
      index &+= 1
    }
  }
}
