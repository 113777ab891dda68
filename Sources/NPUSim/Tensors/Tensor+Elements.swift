extension DType {
  /// The numbers of the type in their order; `nil` for integers, scales, and what no datapath makes.
  public var numberLine: NumberLine? {
    switch self {
    case .bf16: .bf16
    case .f16: .f16
    case .f32: .f32
    case .e4m3fn: .e4m3fn
    case .e5m2: .e5m2
    case .f64, .i8, .i32, .i64, .e8m0: nil
    }
  }
}

extension Tensor {
  /// The bits of an element, those of small types below.
  public func word(at index: Int) -> UInt64 {
    let size = dtype.byteCount
    return (0..<size).reduce(0) { $0 | UInt64(storage[index * size + $1]) << UInt64(8 * $1) }
  }

  /// The value of an element as FP64: exact, but for I64 beyond 2^53.
  public func value(at index: Int) -> Double {
    let word = word(at: index)
    return switch dtype {
    case .bf16: Double(BF16(bits: UInt16(truncatingIfNeeded: word)).float)
    case .f16: Double(FP16(bits: UInt16(truncatingIfNeeded: word)).float)
    case .f32: Double(Float(bitPattern: UInt32(truncatingIfNeeded: word)))
    case .f64: Double(bitPattern: word)
    case .e4m3fn: Double(E4M3FN(bits: UInt8(truncatingIfNeeded: word)).float)
    case .e5m2: Double(E5M2(bits: UInt8(truncatingIfNeeded: word)).float)
    case .e8m0: Double(E8M0(bits: UInt8(truncatingIfNeeded: word)).float)
    case .i8: Double(Int8(truncatingIfNeeded: word))
    case .i32: Double(Int32(truncatingIfNeeded: word))
    case .i64: Double(Int64(truncatingIfNeeded: word))
    }
  }
}
