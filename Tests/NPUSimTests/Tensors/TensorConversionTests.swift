import NPUSim
import Testing

/// Conversions of whole tensors to what a kernel declares.
@Suite struct TensorConversionTests {
  /// The finite values of a format in rising order, with their words.
  private func values(_ dtype: DType) throws -> [(value: Double, word: Int)] {
    let count = dtype.byteCount == 1 ? 1 << 8 : 1 << 16
    let bytes = (0..<count).flatMap { word in
      dtype.byteCount == 1
        ? [UInt8(word)] : [UInt8(truncatingIfNeeded: word), UInt8(word >> 8)]
    }
    let floats = try Tensor(dtype: dtype, shape: [count], storage: bytes).floats()
    return floats.enumerated().filter { $1.isFinite && ($1 != 0 || $1.sign == .plus) }
      .map { (Double($1), $0) }.sorted { $0.0 < $1.0 }
  }

  private func word(_ tensor: Tensor, _ index: Int) -> Int {
    let size = tensor.dtype.byteCount
    return (0..<size).reduce(0) { $0 | Int(tensor.storage[index * size + $1]) << (8 * $1) }
  }

  /// Two neighbours and the point between them are exact in FP64, which decides every case.
  @Test(arguments: [DType.bf16, .f16, .e4m3fn, .e5m2])
  func `FP64 is rounded once: below, at and above the middle of neighbours`(_ dtype: DType) throws {
    let values = try values(dtype)
    var given: [Double] = []
    var needed: [Int] = []
    for (lower, upper) in zip(values, values.dropFirst()) {
      let middle = (lower.value + upper.value) / 2
      // The even word is that without a last bit; zero stands for both zeros.
      let even = lower.word & 1 == 0 ? lower : upper
      for (value, rounded) in [
        (middle, even), (middle.nextUp, upper), (middle.nextDown, lower), (lower.value, lower),
      ] {
        given.append(value)
        let isZero = rounded.value == 0
        let sign = 1 << (8 * dtype.byteCount - 1)
        needed.append(isZero && value.sign == .minus ? sign : rounded.word)
      }
    }
    let rounded = try Tensor(words: given, dtype: .f64, shape: [given.count]).rounded(to: dtype)
    for index in given.indices where word(rounded, index) != needed[index] {
      Issue.record("\(given[index]) became \(word(rounded, index)), needed \(needed[index])")
      break
    }
  }

  @Test func `FP64 becomes FP32 as IEEE says, and its specials stay`() throws {
    let given = [0.1, 1e300, -1e300, 1e-300, -0.0, .infinity, .nan, 1 + 0x1p-24]
    let wide = try Tensor(words: given, dtype: .f64, shape: [8])
    let single = try wide.rounded(to: .f32).words(as: Float.self)
    #expect(single.prefix(6) == [0.1, .infinity, -.infinity, 0, 0, .infinity])
    #expect(single[6].isNaN && single[7] == 1 && single[4].sign == .minus)
    let narrow = try wide.rounded(to: .bf16).words(as: UInt16.self)
    #expect(narrow.prefix(6) == [0x3DCD, 0x7F80, 0xFF80, 0, 0x8000, 0x7F80])
    #expect(narrow[6] & 0x7FFF > 0x7F80)
  }

  @Test func `an exact conversion changes no value, and back gives the same words`() throws {
    for dtype in [DType.bf16, .f16] {
      let tensor = try GoldenTensors.described("t.\(dtype.rawValue)").tensor
      let floats = try tensor.floats()
      let wide = try Tensor(words: floats.map(Double.init), dtype: .f64, shape: tensor.shape)
      #expect(
        try wide.rounded(to: dtype) == Tensor(rounding: floats, to: dtype, shape: tensor.shape))
      #expect(
        try tensor.rounded(to: .f32).words(as: UInt32.self) == floats.map(\.bitPattern))
    }
  }

  @Test func `a scale byte is the FP32 number it stands for`() throws {
    let tensor = try GoldenTensors.described("t.F8_E8M0").tensor
    let scales = try tensor.scalesAsFP32().words(as: Float.self)
    #expect(scales.prefix(255).enumerated().allSatisfy { Double($1) == exp2Exact($0 - 127) })
    #expect(scales[255].isNaN)
    #expect(tensorFailure { _ = try Tensor(zeros: .i8, shape: [1]).scalesAsFP32() } != nil)
  }

  private func exp2Exact(_ exponent: Int) -> Double {
    Double(sign: .plus, exponent: exponent, significand: 1)
  }

  @Test func `I64 indices are read where they fit, and the first that does not is named`() throws {
    let fitting: [Int64] = [0, -1, 7, Int64(Int32.max), Int64(Int32.min), 3]
    let tensor = try Tensor(words: fitting, dtype: .i64, shape: [2, 3])
    let narrow = try tensor.indices(named: "slots")
    #expect(narrow.dtype == .i32 && narrow.shape == [2, 3])
    #expect(try narrow.words(as: Int32.self).map(Int64.init) == fitting)
    for value in [Int64(Int32.max) + 1, Int64(Int32.min) - 1, .max, .min] {
      let wrong = try Tensor(words: [0, 1, 2, 3, value, value], dtype: .i64, shape: [2, 3])
      let error = tensorFailure { _ = try wrong.indices(named: "slots") }
      #expect(
        error?.message == "element [1, 1] of slots is \(value), which I32 does not hold")
    }
    #expect(
      tensorFailure { _ = try Tensor(zeros: .f32, shape: [1]).indices(named: "slots") } != nil)
  }
}
