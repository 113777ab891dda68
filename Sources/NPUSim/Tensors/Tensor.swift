/// A dense tensor: an element type, a shape, and the words in row-major order, little endian.
///
/// A shape of no dimensions is a scalar with one element; a dimension of zero makes an empty
/// tensor. `storage.count` is always the element count times the size of an element.
public struct Tensor: Sendable, Hashable {
  /// The type of every element.
  public let dtype: DType
  /// The dimensions, outermost first; none is negative.
  public let shape: [Int]
  /// The words, row-major, little endian.
  public private(set) var storage: [UInt8]

  /// A tensor from its bytes.
  ///
  /// - Throws: `.tensor` when a dimension is negative, the size overflows, or `storage` has not
  ///   exactly the bytes that type and shape ask for.
  public init(dtype: DType, shape: [Int], storage: [UInt8]) throws(NPUError) {
    let needed = try Self.byteCount(dtype, shape)
    guard storage.count == needed else {
      throw NPUError(
        .tensor,
        "\(storage.count) bytes were given for a \(dtype.rawValue) tensor of shape \(shape), "
          + "which takes \(needed)")
    }
    self.dtype = dtype
    self.shape = shape
    self.storage = storage
  }

  /// A tensor whose bytes are all zero.
  ///
  /// - Throws: `.tensor` when a dimension is negative or the size overflows.
  public init(zeros dtype: DType, shape: [Int]) throws(NPUError) {
    storage = Self.storage(try Self.byteCount(dtype, shape)) {
      $0.initializeMemory(as: UInt8.self, repeating: 0)
    }
    self.dtype = dtype
    self.shape = shape
  }

  /// Bytes behind the last element for which large storage should have room: a machine reads such a
  /// tensor where it is, a whole register at a time, and copies any other.
  public static let room = 64

  /// Bytes that `fill` writes, all of them, with ``room`` behind them.
  static func storage(_ count: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count + room) { buffer, initializedCount in
      fill(UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count))
      initializedCount = count
    }
  }

  /// The number of elements: the product of the dimensions, 1 for a scalar.
  public var elementCount: Int { storage.count / dtype.byteCount }

  /// The number of dimensions.
  public var rank: Int { shape.count }

  /// Changes the shape and nothing else.
  ///
  /// - Throws: `.tensor` when the new shape has another number of elements.
  public func reshaped(_ shape: [Int]) throws(NPUError) -> Tensor {
    try Tensor(dtype: dtype, shape: shape, storage: storage)
  }

  /// Lends the bytes for writing; their number is fixed.
  public mutating func withUnsafeMutableBytes<Result, Failure: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try storage.withUnsafeMutableBufferPointer { (buffer) throws(Failure) in
      try body(UnsafeMutableRawBufferPointer(buffer))
    }
  }

  /// Lends the bytes for reading.
  public func withUnsafeBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try storage.withUnsafeBufferPointer { (buffer) throws(Failure) in
      try body(UnsafeRawBufferPointer(buffer))
    }
  }

  // MARK: Sizes

  /// The number of elements of a shape.
  ///
  /// - Throws: `.tensor` when a dimension is negative or the product of the dimensions that are
  ///   not zero exceeds 63 bits; an empty tensor is no excuse for absurd dimensions.
  public static func elementCount(_ shape: [Int]) throws(NPUError) -> Int {
    var count = 1
    var isEmpty = false
    for dimension in shape {
      guard dimension >= 0 else {
        throw NPUError(
          .tensor, "the shape \(brief(shape)) has a negative dimension, \(dimension)")
      }
      if dimension == 0 {
        isEmpty = true
        continue
      }
      let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
      guard !overflow else {
        throw NPUError(.tensor, "the shape \(brief(shape)) has too many elements to count")
      }
      count = product
    }
    return isEmpty ? 0 : count
  }

  /// The number of bytes of a type and shape; throws as ``elementCount(_:)``.
  public static func byteCount(_ dtype: DType, _ shape: [Int]) throws(NPUError) -> Int {
    let (bytes, overflow) = try elementCount(shape).multipliedReportingOverflow(
      by: dtype.byteCount)
    guard !overflow else {
      throw NPUError(.tensor, "the shape \(brief(shape)) has too many bytes to count")
    }
    return bytes
  }

  /// A shape for a message, cut when long.
  private static func brief(_ shape: [Int]) -> String {
    shape.count <= 12
      ? "\(shape)" : "[\(shape.prefix(12).map(String.init).joined(separator: ", ")), …]"
  }
}
