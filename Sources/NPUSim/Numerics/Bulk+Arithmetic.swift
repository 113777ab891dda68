extension Bulk {
  /// ``FP32/add(_:_:)`` over arrays. The destination may be either source.
  public static func add(
    _ destination: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>,
    _ b: UnsafePointer<Float>, count: Int
  ) {
    var index = 0
    while index < count {
      destination[index] = FP32.canonical(a[index] + b[index])
      index &+= 1
    }
  }

  /// ``FP32/sub(_:_:)`` over arrays. The destination may be either source.
  public static func sub(
    _ destination: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>,
    _ b: UnsafePointer<Float>, count: Int
  ) {
    var index = 0
    while index < count {
      destination[index] = FP32.canonical(a[index] - b[index])
      index &+= 1
    }
  }

  /// ``FP32/mul(_:_:)`` over arrays. The destination may be either source.
  public static func mul(
    _ destination: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>,
    _ b: UnsafePointer<Float>, count: Int
  ) {
    var index = 0
    while index < count {
      destination[index] = FP32.canonical(a[index] * b[index])
      index &+= 1
    }
  }

  /// ``FP32/div(_:_:)`` over arrays. The destination may be either source.
  public static func div(
    _ destination: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>,
    _ b: UnsafePointer<Float>, count: Int
  ) {
    var index = 0
    while index < count {
      destination[index] = FP32.canonical(a[index] / b[index])
      index &+= 1
    }
  }

  /// ``FP32/max(_:_:)`` over arrays. The destination may be either source.
  public static func max(
    _ destination: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>,
    _ b: UnsafePointer<Float>, count: Int
  ) {
    var index = 0
    while index < count {
      destination[index] = larger(a[index], b[index])
      index &+= 1
    }
  }

  /// ``FP32/add(_:_:)`` of each element and one scalar. The destination may be the source.
  public static func add(
    _ destination: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, scalar: Float,
    count: Int
  ) {
    var index = 0
    while index < count {
      destination[index] = FP32.canonical(a[index] + scalar)
      index &+= 1
    }
  }

  /// ``FP32/sub(_:_:)`` of each element and one scalar. The destination may be the source.
  public static func sub(
    _ destination: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, scalar: Float,
    count: Int
  ) {
    var index = 0
    while index < count {
      destination[index] = FP32.canonical(a[index] - scalar)
      index &+= 1
    }
  }

  /// ``FP32/mul(_:_:)`` of each element and one scalar. The destination may be the source.
  public static func mul(
    _ destination: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, scalar: Float,
    count: Int
  ) {
    var index = 0
    while index < count {
      destination[index] = FP32.canonical(a[index] * scalar)
      index &+= 1
    }
  }

  /// ``FP32/div(_:_:)`` of each element by one scalar. The destination may be the source.
  public static func div(
    _ destination: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, scalar: Float,
    count: Int
  ) {
    var index = 0
    while index < count {
      destination[index] = FP32.canonical(a[index] / scalar)
      index &+= 1
    }
  }

  /// ``FP32/max(_:_:)`` of each element and one scalar. The destination may be the source.
  public static func max(
    _ destination: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, scalar: Float,
    count: Int
  ) {
    var index = 0
    while index < count {
      destination[index] = larger(a[index], scalar)
      index &+= 1
    }
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
