import NPUSim
import Testing

@Suite struct TensorTests {
  @Test func `sizes follow from type and shape`() throws {
    #expect(try Tensor.elementCount([]) == 1)
    #expect(try Tensor.elementCount([2, 3]) == 6)
    #expect(try Tensor.elementCount([2, 0, 3]) == 0)
    #expect(try Tensor.byteCount(.f32, [5]) == 20)
    let tensor = try Tensor(zeros: .bf16, shape: [2, 3])
    #expect(tensor.storage == [UInt8](repeating: 0, count: 12))
    #expect(tensor.elementCount == 6)
    #expect(tensor.rank == 2)
    #expect(try Tensor(zeros: .i8, shape: [0, 7]).storage.isEmpty)
    #expect(DType.allCases.map(\.byteCount) == [2, 2, 4, 8, 1, 4, 8, 1, 1, 1])
  }

  static let badShapes: [(shape: [Int], dtype: DType, message: String)] = [
    ([2, -1], .i8, "the shape [2, -1] has a negative dimension, -1"),
    ([0, -1], .i8, "the shape [0, -1] has a negative dimension, -1"),
    ([.max, 2], .i8, "the shape [9223372036854775807, 2] has too many elements to count"),
    ([0, .max, 2], .i8, "the shape [0, 9223372036854775807, 2] has too many elements to count"),
    ([.max], .bf16, "the shape [9223372036854775807] has too many bytes to count"),
    ([1 << 32, 1 << 31], .i8, "the shape [4294967296, 2147483648] has too many elements to count"),
  ]

  @Test(arguments: badShapes)
  func `a shape that cannot be is an error, not an overflow`(
    _ bad: (shape: [Int], dtype: DType, message: String)
  ) {
    let error = tensorFailure { _ = try Tensor(zeros: bad.dtype, shape: bad.shape) }
    #expect(error?.category == .tensor)
    #expect(error?.message == bad.message)
    #expect(
      tensorFailure { _ = try Tensor(dtype: bad.dtype, shape: bad.shape, storage: []) } == error)
  }

  @Test func `storage must have exactly the bytes that are needed`() {
    let error = tensorFailure { _ = try Tensor(dtype: .f32, shape: [2], storage: [0]) }
    #expect(
      error?.message == "1 bytes were given for a F32 tensor of shape [2], which takes 8")
  }

  @Test func `words go in and out as they are`() throws {
    let words: [UInt16] = [0, 0x8000, 0x7FC1, 0xFFFF, 0x3F80, 1]
    let tensor = try Tensor(words: words, dtype: .bf16, shape: [3, 2])
    #expect(tensor.storage.prefix(6) == [0, 0, 0, 0x80, 0xC1, 0x7F])
    #expect(try tensor.words(as: UInt16.self) == words)
    #expect(try tensor.words(as: Int16.self).map(UInt16.init(bitPattern:)) == words)
    #expect(try Tensor(zeros: .f32, shape: [0]).words(as: Float.self).isEmpty)
    let error = tensorFailure { _ = try tensor.words(as: UInt8.self) }
    #expect(error?.message == "BF16 elements take 2 bytes; words of 1 do not fit them")
    #expect(tensorFailure { _ = try Tensor(words: words, dtype: .f32, shape: [6]) } != nil)
    #expect(tensorFailure { _ = try Tensor(words: words, dtype: .f16, shape: [5]) } != nil)
  }

  @Test func `bytes can be changed in place and shapes exchanged`() throws {
    var tensor = try Tensor(zeros: .i8, shape: [4])
    tensor.withUnsafeMutableBytes { $0[1] = 7 }
    #expect(tensor.withUnsafeBytes { Array($0) } == [0, 7, 0, 0])
    #expect(try tensor.reshaped([2, 2]).storage == tensor.storage)
    #expect(tensorFailure { _ = try tensor.reshaped([3]) } != nil)
  }

  @Test(arguments: DType.allCases)
  func `every word widens to the value that ml_dtypes gives it`(_ dtype: DType) throws {
    let (tensor, expected) = try GoldenTensors.described("t.\(dtype.rawValue)")
    #expect(tensor.dtype == dtype)
    let floats = try tensor.floats()
    try #require(floats.count == expected.count)
    for (value, word) in zip(floats, expected) {
      let wanted = Float(bitPattern: word)
      #expect(value.bitPattern == word || (value.isNaN && wanted.isNaN))
    }
  }

  @Test func `an integer that FP32 cannot hold is an error`() throws {
    let exact: [Int32] = [1 << 24, -(1 << 24), .min, (1 << 30) + 128]
    #expect(
      try Tensor(words: exact, dtype: .i32, shape: [4]).floats().map { Int64($0) }
        == exact.map(Int64.init))
    for value: Int32 in [.max, (1 << 24) + 1, -(1 << 24) - 1] {
      let tensor = try Tensor(words: [Int32(0), value], dtype: .i32, shape: [2])
      let error = tensorFailure { _ = try tensor.floats() }
      #expect(error?.message == "element 1 of an I32 tensor is not exactly an FP32 number")
    }
    let wide = try Tensor(words: [0.5, 0.1], dtype: .f64, shape: [2])
    #expect(
      tensorFailure { _ = try wide.floats() }?.message
        == "element 1 of an F64 tensor is not exactly an FP32 number")
  }

  @Test(arguments: [DType.bf16, .f16, .f32, .e4m3fn, .e5m2])
  func `rounding what was widened gives the same words`(_ dtype: DType) throws {
    let (tensor, _) = try GoldenTensors.described("t.\(dtype.rawValue)")
    let floats = try tensor.floats()
    let back = try Tensor(rounding: floats, to: dtype, shape: tensor.shape)
    let size = dtype.byteCount
    for (index, value) in floats.enumerated() where !value.isNaN {
      let bytes = (index * size)..<((index + 1) * size)
      #expect(tensor.storage[bytes] == back.storage[bytes])
    }
  }

  @Test func `only float types are rounded to`() throws {
    for dtype in [DType.i8, .i32, .e8m0] {
      let error = tensorFailure { _ = try Tensor(rounding: [1], to: dtype, shape: [1]) }
      #expect(error?.message == "FP32 values cannot be rounded to \(dtype.rawValue)")
    }
    #expect(tensorFailure { _ = try Tensor(rounding: [1], to: .bf16, shape: [2]) } != nil)
    #expect(try Tensor(rounding: [], to: .bf16, shape: [0]).elementCount == 0)
    let rounded = try Tensor(rounding: [1.00390625, 500], to: .e4m3fn, shape: [2])
    #expect(rounded.storage == [0x38, 0x7F])
  }
}
