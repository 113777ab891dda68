extension Tensor {
  /// Whether ``rounded(to:)`` takes values of a type: FP64, FP32, FP16 and BF16.
  public static func canRound(_ dtype: DType) -> Bool { [.f64, .f32, .f16, .bf16].contains(dtype) }

  /// The values as BF16, FP16, FP32 or FP8, each rounded to nearest even once from what it is here. FP8
  /// does not saturate.
  ///
  /// - Throws: `.tensor` for any other type, here or there.
  public func rounded(to dtype: DType) throws(NPUError) -> Tensor {
    guard Self.canRound(self.dtype) else {
      throw NPUError(
        .tensor, "\(self.dtype.rawValue) values are not rounded to \(dtype.rawValue)")
    }
    if dtype == .f32, self.dtype == .f64 {
      return try Tensor(
        words: words(as: Double.self).map { Float($0) }, dtype: .f32, shape: shape)
    }
    return try Tensor(rounding: floatsToRound(), to: dtype, shape: shape)
  }

  /// Every element as an FP32 number that rounds to fewer bits as the element does: the element where
  /// FP32 holds it, else rounded to odd.
  ///
  /// - Throws: `.tensor` for integers that FP32 does not hold.
  public func floatsToRound() throws(NPUError) -> [Float] {
    guard dtype == .f64 else { return try floats() }
    return try words(as: Double.self).map { Float(roundingToOdd: $0) }
  }

  /// The scales that E8M0 bytes stand for, as FP32; exact.
  ///
  /// - Throws: `.tensor` for any other type.
  public func scalesAsFP32() throws(NPUError) -> Tensor {
    guard dtype == .e8m0 else {
      throw NPUError(.tensor, "\(dtype.rawValue) elements are no scales; F8_E8M0 is needed")
    }
    return try Tensor(words: floats(), dtype: .f32, shape: shape)
  }

  /// I64 numbers as I32.
  ///
  /// - Parameter name: what the message calls the tensor.
  /// - Throws: `.tensor` for any other type, and for the first number that I32 does not hold.
  public func indices(named name: String) throws(NPUError) -> Tensor {
    if dtype == .i32 { return self }
    let wide = try dtype == .i64 ? words(as: Int64.self) : []
    guard dtype == .i64 else {
      throw NPUError(
        .tensor, "\(name) is \(dtype.rawValue), needed I32, or I64 with values that fit")
    }
    var narrow: [Int32] = []
    narrow.reserveCapacity(wide.count)
    for (element, value) in wide.enumerated() {
      guard let word = Int32(exactly: value) else {
        throw NPUError(
          .tensor, "element \(place(of: element)) of \(name) is \(value), which I32 does not hold",
          hint: "indices are from -2147483648 to 2147483647")
      }
      narrow.append(word)
    }
    return try Tensor(words: narrow, dtype: .i32, shape: shape)
  }

  /// The indices of an element in the order of the dimensions, such as `[0, 3]`.
  private func place(of element: Int) -> String {
    var rest = element
    var indices: [Int] = []
    for extent in shape.reversed() {
      indices.append(rest % max(1, extent))
      rest /= max(1, extent)
    }
    return "[\(indices.reversed().map(String.init).joined(separator: ", "))]"
  }
}
