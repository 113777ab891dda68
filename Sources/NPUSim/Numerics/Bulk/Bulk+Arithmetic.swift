import CDatapath

extension Bulk {
  /// A binary operation of ``FP32``.
  public enum Binary: Sendable, CaseIterable {
    case add, sub, mul, div, max

    /// The operation on two values.
    public func callAsFunction(_ a: Float, _ b: Float) -> Float {
      switch self {
      case .add: FP32.add(a, b)
      case .sub: FP32.sub(a, b)
      case .mul: FP32.mul(a, b)
      case .div: FP32.div(a, b)
      case .max: FP32.max(a, b)
      }
    }

    fileprivate var native: npu_binary {
      switch self {
      case .add: npu_add
      case .sub: npu_sub
      case .mul: npu_mul
      case .div: npu_div
      case .max: npu_max
      }
    }
  }

  /// An operation over arrays of BF16 words: computed and rounded in FP32, then rounded to BF16. The
  /// destination may be either source.
  public static func combine(
    _ operation: Binary, bf16 destination: UnsafeMutablePointer<UInt16>, _ a: UnsafePointer<UInt16>,
    _ b: UnsafePointer<UInt16>, count: Int, path: DatapathPath = .active
  ) {
    if let native = path.native {
      return npu_binary_bf16_run(native, operation.native, destination, a, b, count)
    }
    for index in 0..<Swift.max(count, 0) {
      let result = operation(BF16(bits: a[index]).float, BF16(bits: b[index]).float)
      destination[index] = BF16(result).bits
    }
  }

  /// ``FP32/add(_:_:)`` over arrays. The destination may be either source.
  public static func add(
    _ destination: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>,
    _ b: UnsafePointer<Float>, count: Int, path: DatapathPath = .active
  ) {
    if let native = path.native {
      return npu_binary_run(native, npu_add, destination, a, b, count)
    }
    for index in 0..<Swift.max(count, 0) { destination[index] = FP32.add(a[index], b[index]) }
  }

  /// ``FP32/sub(_:_:)`` over arrays. The destination may be either source.
  public static func sub(
    _ destination: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>,
    _ b: UnsafePointer<Float>, count: Int, path: DatapathPath = .active
  ) {
    if let native = path.native {
      return npu_binary_run(native, npu_sub, destination, a, b, count)
    }
    for index in 0..<Swift.max(count, 0) { destination[index] = FP32.sub(a[index], b[index]) }
  }

  /// ``FP32/mul(_:_:)`` over arrays. The destination may be either source.
  public static func mul(
    _ destination: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>,
    _ b: UnsafePointer<Float>, count: Int, path: DatapathPath = .active
  ) {
    if let native = path.native {
      return npu_binary_run(native, npu_mul, destination, a, b, count)
    }
    for index in 0..<Swift.max(count, 0) { destination[index] = FP32.mul(a[index], b[index]) }
  }

  /// ``FP32/div(_:_:)`` over arrays. The destination may be either source.
  public static func div(
    _ destination: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>,
    _ b: UnsafePointer<Float>, count: Int, path: DatapathPath = .active
  ) {
    if let native = path.native {
      return npu_binary_run(native, npu_div, destination, a, b, count)
    }
    for index in 0..<Swift.max(count, 0) { destination[index] = FP32.div(a[index], b[index]) }
  }

  /// ``FP32/max(_:_:)`` over arrays. The destination may be either source.
  public static func max(
    _ destination: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>,
    _ b: UnsafePointer<Float>, count: Int, path: DatapathPath = .active
  ) {
    if let native = path.native {
      return npu_binary_run(native, npu_max, destination, a, b, count)
    }
    for index in 0..<Swift.max(count, 0) { destination[index] = FP32.max(a[index], b[index]) }
  }

  /// ``FP32/add(_:_:)`` of each element and one scalar. The destination may be the source.
  public static func add(
    _ destination: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, scalar: Float,
    count: Int, path: DatapathPath = .active
  ) {
    if let native = path.native {
      return npu_binary_scalar_run(native, npu_add, destination, a, scalar, count)
    }
    for index in 0..<Swift.max(count, 0) { destination[index] = FP32.add(a[index], scalar) }
  }

  /// ``FP32/sub(_:_:)`` of each element and one scalar. The destination may be the source.
  public static func sub(
    _ destination: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, scalar: Float,
    count: Int, path: DatapathPath = .active
  ) {
    if let native = path.native {
      return npu_binary_scalar_run(native, npu_sub, destination, a, scalar, count)
    }
    for index in 0..<Swift.max(count, 0) { destination[index] = FP32.sub(a[index], scalar) }
  }

  /// ``FP32/mul(_:_:)`` of each element and one scalar. The destination may be the source.
  public static func mul(
    _ destination: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, scalar: Float,
    count: Int, path: DatapathPath = .active
  ) {
    if let native = path.native {
      return npu_binary_scalar_run(native, npu_mul, destination, a, scalar, count)
    }
    for index in 0..<Swift.max(count, 0) { destination[index] = FP32.mul(a[index], scalar) }
  }

  /// ``FP32/div(_:_:)`` of each element by one scalar. The destination may be the source.
  public static func div(
    _ destination: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, scalar: Float,
    count: Int, path: DatapathPath = .active
  ) {
    if let native = path.native {
      return npu_binary_scalar_run(native, npu_div, destination, a, scalar, count)
    }
    for index in 0..<Swift.max(count, 0) { destination[index] = FP32.div(a[index], scalar) }
  }

  /// ``FP32/max(_:_:)`` of each element and one scalar. The destination may be the source.
  public static func max(
    _ destination: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, scalar: Float,
    count: Int, path: DatapathPath = .active
  ) {
    if let native = path.native {
      return npu_binary_scalar_run(native, npu_max, destination, a, scalar, count)
    }
    for index in 0..<Swift.max(count, 0) { destination[index] = FP32.max(a[index], scalar) }
  }

  /// ``FP32/max(_:_:)`` without a branch: on equal words (or the two zeros) the common bits.
  @inline(__always)
  static func larger(_ a: Float, _ b: Float) -> Float {
    let equal = a.bitPattern & b.bitPattern
    let greater = a > b ? a.bitPattern : b.bitPattern
    let ordered = a == b ? equal : greater
    let number = a == a ? ordered : 0x7FC0_0000
    return Float(bitPattern: b == b ? number : 0x7FC0_0000)
  }
}
