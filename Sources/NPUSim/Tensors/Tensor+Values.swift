extension Tensor {
  // MARK: Words

  /// A tensor from words of the element's size: `UInt16` for BF16 and F16, `Float` or `UInt32` for
  /// F32, and so on. Bits are kept as they are.
  ///
  /// - Throws: `.tensor` when a word has not the element's size, or the count does not match.
  public init<Word: BitwiseCopyable>(
    words: [Word], dtype: DType, shape: [Int]
  ) throws(NPUError) {
    try Self.check(Word.self, dtype)
    try self.init(
      dtype: dtype, shape: shape,
      storage: words.withUnsafeBytes { bytes in
        Self.storage(bytes.count) { $0.copyMemory(from: bytes) }
      })
  }

  /// The elements as words of their size, bits as they are.
  ///
  /// - Throws: `.tensor` when `Word` has not the element's size.
  public func words<Word: BitwiseCopyable>(as type: Word.Type) throws(NPUError) -> [Word] {
    try Self.check(Word.self, dtype)
    let count = elementCount
    return storage.withUnsafeBytes { bytes in
      [Word](unsafeUninitializedCapacity: count) { buffer, initializedCount in
        UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
        initializedCount = count
      }
    }
  }

  private static func check<Word>(_ type: Word.Type, _ dtype: DType) throws(NPUError) {
    guard MemoryLayout<Word>.size == dtype.byteCount else {
      throw NPUError(
        .tensor,
        "\(dtype.rawValue) elements take \(dtype.byteCount) bytes; "
          + "words of \(MemoryLayout<Word>.size) do not fit them")
    }
  }

  // MARK: Values

  /// Every element as FP32. Exact for every type: an I32, I64 or F64 element that FP32 cannot hold is
  /// an error. An I8 element is its integer; the scales of MXINT8 are applied by
  /// ``MXTensor/floats()``.
  ///
  /// - Throws: `.tensor` for such an element.
  public func floats() throws(NPUError) -> [Float] {
    let count = elementCount
    var inexact: Int?
    let values = storage.withUnsafeBytes { bytes in
      [Float](unsafeUninitializedCapacity: count) { buffer, initializedCount in
        if let source = bytes.baseAddress, let target = buffer.baseAddress {
          inexact = Self.widen(dtype, source, target, count: count)
        }
        initializedCount = count
      }
    }
    if let inexact {
      throw NPUError(
        .tensor,
        "element \(inexact) of an \(dtype.rawValue) tensor is not exactly an FP32 number",
        hint: dtype.isFloat ? nil : "FP32 holds every integer up to 2^24 in magnitude")
    }
    return values
  }

  /// A tensor of `dtype` from FP32 values: BF16, F16, F32 and both FP8 types, each value rounded to
  /// nearest even once. FP8 does not saturate.
  ///
  /// - Throws: `.tensor` for any other type, or a count that does not match the shape.
  public init(rounding values: [Float], to dtype: DType, shape: [Int]) throws(NPUError) {
    try Self.requireRoundable(to: dtype)
    let size = dtype.byteCount
    let storage = Self.storage(values.count * size) { buffer in
      values.withUnsafeBufferPointer { values in
        guard let source = values.baseAddress, let target = buffer.baseAddress else { return }
        Self.narrow(dtype, source, target, count: values.count)
      }
    }
    try self.init(dtype: dtype, shape: shape, storage: storage)
  }

  /// Throws `.tensor` for a type that FP32 values are not rounded to.
  static func requireRoundable(to dtype: DType) throws(NPUError) {
    switch dtype {
    case .bf16, .f16, .f32, .e4m3fn, .e5m2: return
    case .i8, .i32, .i64, .f64, .e8m0:
      throw NPUError(.tensor, "FP32 values cannot be rounded to \(dtype.rawValue)")
    }
  }

  /// Writes `count` widened elements; returns the first that FP32 cannot hold, if any.
  private static func widen(
    _ dtype: DType, _ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>, count: Int
  ) -> Int? {
    switch dtype {
    case .f32:
      UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: count * 4)
    case .bf16:
      Bulk.bf16ToFloat(source.assumingMemoryBound(to: UInt16.self), target, count: count)
    case .f16:
      Bulk.f16ToFloat(source.assumingMemoryBound(to: UInt16.self), target, count: count)
    case .e4m3fn:
      Bulk.e4m3fnToFloat(source.assumingMemoryBound(to: UInt8.self), target, count: count)
    case .e5m2:
      Bulk.e5m2ToFloat(source.assumingMemoryBound(to: UInt8.self), target, count: count)
    case .e8m0:
      for index in 0..<count {
        target[index] = E8M0(bits: source.load(fromByteOffset: index, as: UInt8.self)).float
      }
    case .i8:
      for index in 0..<count {
        target[index] = Float(source.load(fromByteOffset: index, as: Int8.self))
      }
    case .i32:
      return convert(source, target, count: count) { (value: Int32) in Float(exactly: value) }
    case .i64:
      return convert(source, target, count: count) { (value: Int64) in Float(exactly: value) }
    case .f64:
      return convert(source, target, count: count) { (value: Double) in
        value.isNaN ? Float(value) : Float(exactly: value)
      }
    }
    return nil
  }

  /// Writes what `exactly` gives for each element; returns the first for which it gives nothing.
  private static func convert<Word: BitwiseCopyable>(
    _ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>, count: Int,
    _ exactly: (Word) -> Float?
  ) -> Int? {
    var inexact: Int?
    for index in 0..<count {
      let value = exactly(
        source.loadUnaligned(fromByteOffset: index * MemoryLayout<Word>.size, as: Word.self))
      if value == nil && inexact == nil { inexact = index }
      target[index] = value ?? .nan
    }
    return inexact
  }

  /// Writes `count` rounded elements of a type that ``init(rounding:to:shape:)`` accepts.
  static func narrow(
    _ dtype: DType, _ source: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer, count: Int
  ) {
    let words = target.assumingMemoryBound(to: UInt16.self)
    let codes = target.assumingMemoryBound(to: UInt8.self)
    switch dtype {
    case .bf16: Bulk.floatToBF16(source, words, count: count)
    case .f16: Bulk.floatToF16(source, words, count: count)
    case .e4m3fn: Bulk.floatToE4M3FN(source, codes, count: count, saturating: false)
    case .e5m2: Bulk.floatToE5M2(source, codes, count: count, saturating: false)
    case .f32: target.copyMemory(from: source, byteCount: count * 4)
    case .f64, .i8, .i32, .i64, .e8m0: break
    }
  }
}
