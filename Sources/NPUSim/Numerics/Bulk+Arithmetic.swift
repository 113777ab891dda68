import CDatapath

extension Bulk {
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
