import CDatapath

extension Bulk {
  /// ``SpecialFunction/fp32(_:mode:)`` over an array. The destination may be the source.
  public static func special(
    _ function: SpecialFunction, mode: SFUMode, _ source: UnsafePointer<Float>,
    _ destination: UnsafeMutablePointer<Float>, count: Int, path: DatapathPath = .active
  ) {
    guard let native = path.native, !function.isModelled(in: mode) else {
      define(source, destination, count) { function.fp32($0, mode: mode) }
      return
    }
    strips(count) { start, length, open in
      let (from, to) = (source + start, destination + start)
      let left = npu_special(native, function.native, from, to, length, open)
      for index in 0..<left {
        let place = Int(open[index])
        to[place] = function.correctlyRoundedFP32(from[place])
      }
    }
  }

  /// ``SpecialFunction/fp32ToBF16(_:mode:)`` over an array; the results are BF16 words.
  public static func specialToBF16(
    _ function: SpecialFunction, mode: SFUMode, _ source: UnsafePointer<Float>,
    _ destination: UnsafeMutablePointer<UInt16>, count: Int, path: DatapathPath = .active
  ) {
    guard let native = path.native, !function.isModelled(in: mode) else {
      define(source, destination, count) { function.fp32ToBF16($0, mode: mode).bits }
      return
    }
    strips(count) { start, length, open in
      let (from, to) = (source + start, destination + start)
      let left = npu_special_to_bf16(native, function.native, from, to, length, open)
      for index in 0..<left {
        let place = Int(open[index])
        to[place] = UInt16(truncatingIfNeeded: function.correctlyRoundedBF16(from[place]))
      }
    }
  }

  /// ``SpecialFunction/bf16(_:mode:)`` over an array of BF16 words. The destination may be the source.
  public static func special(
    _ function: SpecialFunction, mode: SFUMode, bf16 source: UnsafePointer<UInt16>,
    _ destination: UnsafeMutablePointer<UInt16>, count: Int, path: DatapathPath = .active
  ) {
    guard let native = path.native, !function.isModelled(in: mode) else {
      define(source, destination, count) { function.bf16(BF16(bits: $0), mode: mode).bits }
      return
    }
    strips(count) { start, length, open in
      let (from, to) = (source + start, destination + start)
      let left = npu_special_bf16(native, function.native, from, to, length, open)
      for index in 0..<left {
        let place = Int(open[index])
        to[place] = function.bf16(BF16(bits: from[place]), mode: mode).bits
      }
    }
  }

  /// Whether a path computes BF16 words of a function at least as fast as a table answers.
  static func computes(
    _ function: SpecialFunction, mode: SFUMode, path: DatapathPath = .active
  ) -> Bool {
    if path == .scalar || function.isModelled(in: mode) { return false }
    return function == .exp || (function == .silu && path == .avx512)
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

  /// Strips of an array, so that the list of the elements that a C loop leaves open is short.
  private static func strips(
    _ count: Int,
    _ body: (_ start: Int, _ length: Int, _ open: UnsafeMutablePointer<UInt16>) -> Void
  ) {
    let strip = 1024
    withUnsafeTemporaryAllocation(of: UInt16.self, capacity: strip) { open in
      guard let open = open.baseAddress else { return }
      for start in stride(from: 0, to: count, by: strip) {
        body(start, Swift.min(strip, count - start), open)
      }
    }
  }
}

extension SpecialFunction {
  /// Whether the mode has a model of its own for the function.
  fileprivate func isModelled(in mode: SFUMode) -> Bool {
    mode == .expu && (self == .exp || self == .reciprocal)
  }

  /// The C name.
  fileprivate var native: npu_function {
    switch self {
    case .exp: npu_exp
    case .exp2: npu_exp2
    case .reciprocal: npu_reciprocal
    case .rsqrt: npu_rsqrt
    case .sin: npu_sin
    case .cos: npu_cos
    case .sigmoid: npu_sigmoid
    case .silu: npu_silu
    case .log: npu_log
    }
  }
}
