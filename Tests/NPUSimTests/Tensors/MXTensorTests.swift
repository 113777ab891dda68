import NPUSim
import Testing

@Suite struct MXTensorTests {
  private func pair(_ shape: [Int], scales: [Int], axis: Int = -1) throws -> MXTensor {
    try MXTensor(
      payload: Tensor(zeros: .i8, shape: shape), scale: Tensor(zeros: .e8m0, shape: scales),
      axis: axis)
  }

  @Test func `the scales have the payload's shape, the block axis divided by 32 and rounded up`()
    throws
  {
    #expect(try pair([3, 64], scales: [3, 2]).axis == 1)
    #expect(try pair([3, 65], scales: [3, 3]).axis == 1)
    #expect(try pair([33, 5, 4], scales: [2, 5, 4], axis: -3).axis == 0)
    #expect(try pair([33, 5, 4], scales: [2, 5, 4], axis: 0).axis == 0)
    #expect(try pair([4, 0], scales: [4, 0]).axis == 1)
    #expect(try pair([0, 4], scales: [0, 1]).axis == 1)
    let error = tensorFailure { _ = try pair([3, 64], scales: [3, 64]) }
    #expect(
      error?.message == "the scales have shape [3, 64]; a payload of shape [3, 64] "
        + "with blocks along axis 1 needs [3, 2]")
  }

  @Test func `types and axes that cannot be are errors`() throws {
    let payload = try Tensor(zeros: .i8, shape: [32])
    #expect(
      tensorFailure { _ = try MXTensor(payload: payload, scale: payload) }?.message
        == "an MXINT8 tensor is a pair of I8 and F8_E8M0, not of I8 and I8")
    for axis in [1, -2, Int.max, Int.min] {
      #expect(
        tensorFailure { _ = try pair([32], scales: [1], axis: axis) }?.message
          == "axis \(axis) is not a dimension of a tensor of rank 1")
    }
    #expect(
      tensorFailure { _ = try pair([], scales: []) }?.message
        == "axis -1 is not a dimension of a tensor of rank 0")
  }

  @Test func `an element is its payload times its block's scale, along any axis`() throws {
    let shape = [2, 70, 3]
    var random = SeededGenerator(seed: 7)
    for axis in 0..<3 {
      var scales = shape
      scales[axis] = (shape[axis] + 31) / 32
      let payload = (0..<420).map { _ in Int8.random(in: -128...127, using: &random) }
      let bytes = (0..<scales.reduce(1, *)).map { _ in UInt8.random(in: 60...200, using: &random) }
      let tensor = try MXTensor(
        payload: Tensor(words: payload, dtype: .i8, shape: shape),
        scale: Tensor(words: bytes, dtype: .e8m0, shape: scales), axis: axis)
      let values = tensor.floats()
      for i in 0..<2 {
        for j in 0..<70 {
          for k in 0..<3 {
            var block = [i, j, k]
            block[axis] /= 32
            let scale = bytes[(block[0] * scales[1] + block[1]) * scales[2] + block[2]]
            let index = (i * 70 + j) * 3 + k
            let power = Double(sign: .plus, exponent: Int(scale) - 133, significand: 1)
            #expect(Double(values[index]) == Double(payload[index]) * power)
          }
        }
      }
    }
  }

  @Test func `a NaN scale makes its block NaN and no other`() throws {
    let tensor = try MXTensor(
      payload: Tensor(words: [Int8](repeating: 64, count: 40), dtype: .i8, shape: [40]),
      scale: Tensor(words: [0xFF, 127] as [UInt8], dtype: .e8m0, shape: [2]))
    let values = tensor.floats()
    #expect(values.prefix(32).allSatisfy { $0.isNaN })
    #expect(values.suffix(8).allSatisfy { $0 == 1 })
    #expect(try pair([0, 4], scales: [0, 1]).floats().isEmpty)
    #expect(try pair([4, 0, 2], scales: [4, 0, 2], axis: 1).floats().isEmpty)
  }
}
