import NPUSim
import Testing

@Suite struct ClosenessTests {
  /// The order of sign and magnitude, which is that of the numbers.
  private func order(_ word: Int, bits: Int) -> Int {
    let magnitude = word & ((1 << (bits - 1)) - 1)
    return word >> (bits - 1) == 1 ? -magnitude : magnitude
  }

  @Test(arguments: [DType.bf16, .f16, .e5m2, .e4m3fn])
  func `positions on the line of a format are the order of its words`(_ dtype: DType) throws {
    let line = try #require(dtype.numberLine)
    let bits = 8 * dtype.byteCount
    for word in 0..<1 << bits {
      let bytes = (0..<dtype.byteCount).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
      let value = try Tensor(dtype: dtype, shape: [1], storage: bytes).value(at: 0)
      let needed = value.isNaN ? nil : order(word, bits: bits)
      #expect(line.position(of: value) == needed, "\(dtype) \(String(word, radix: 16))")
    }
  }

  @Test(arguments: [DType.bf16, .f16, .f32, .e5m2])
  func `a number stands where its rounding to the format does`(_ dtype: DType) throws {
    var random = SeededGenerator(seed: 14)
    let line = try #require(dtype.numberLine)
    let values = (0..<20_000).map { _ in
      Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &random))
    }
    .filter { !$0.isNaN }
    let rounded = try Tensor(rounding: values, to: dtype, shape: [values.count])
    for (index, value) in values.enumerated() {
      #expect(
        line.position(of: Double(value)) == line.position(of: rounded.value(at: index)),
        "\(dtype) \(value)")
    }
  }

  @Test func `a value passes at its bound and not above it`() {
    let rule = Closeness.value(absolute: 0.5, relative: 0.25)
    #expect(rule.judge(found: 3, expected: 2, on: nil) == .close)
    #expect(rule.judge(found: 3.0.nextUp, expected: 2, on: nil) == .apart)
    #expect(rule.judge(found: -3, expected: -2, on: nil) == .close)
    #expect(rule.judge(found: 2, expected: 2, on: nil) == .equal)
    #expect(Closeness.value().judge(found: 2.0.nextUp, expected: 2, on: nil) == .apart)
  }

  @Test func `what rounds to the found number once is equal to it, a step further is not`() {
    for rule in [Closeness.value(), .value(steps: 0)] {
      #expect(rule.judge(found: 1, expected: 1 + 0x1p-8, on: .bf16) == .equal)
      #expect(rule.judge(found: 1, expected: (1 + 0x1p-8).nextUp, on: .bf16) == .apart)
      #expect(rule.judge(found: 0x1p-133, expected: 0x1.7p-133, on: .bf16) == .equal)
      #expect(rule.judge(found: 0, expected: 0x1p-134, on: .bf16) == .equal)
      #expect(rule.judge(found: 1, expected: 1 + 0x1p-8, on: .f32) == .apart)
      #expect(rule.judge(found: 1, expected: 1 + 0x1p-40, on: nil) == .apart)
    }
  }

  @Test func `what is not finite is close to nothing finite`() {
    let loose = Closeness.value(absolute: 1e300, relative: 1e300)
    #expect(loose.judge(found: 1, expected: .infinity, on: .bf16) == .apart)
    #expect(loose.judge(found: .infinity, expected: 1, on: .bf16) == .apart)
    #expect(loose.judge(found: .infinity, expected: -.infinity, on: .bf16) == .apart)
    #expect(loose.judge(found: .nan, expected: 1, on: .bf16) == .apart)
    #expect(loose.judge(found: .nan, expected: -.nan, on: .bf16) == .equal)
    #expect(loose.judge(found: .infinity, expected: .infinity, on: .bf16) == .equal)
    // 3.4e38 is infinity in BF16: none is between them.
    let exact = Closeness.value()
    #expect(exact.judge(found: .infinity, expected: 3.4e38, on: .bf16) == .equal)
    #expect(exact.judge(found: .infinity, expected: 3.38e38, on: .bf16) == .apart)
  }

  @Test func `the values of all types are exact`() throws {
    let f64 = try Tensor(words: [0.1, 0x1p-1030], dtype: .f64, shape: [2])
    #expect(f64.value(at: 0) == 0.1 && f64.value(at: 1) == 0x1p-1030)
    let i64 = try Tensor(words: [Int64(-7), 1 << 52], dtype: .i64, shape: [2])
    #expect(i64.value(at: 0) == -7 && i64.value(at: 1) == 0x1p52)
    let i32 = try Tensor(words: [Int32.min, 1 << 30 + 1], dtype: .i32, shape: [2])
    #expect(i32.value(at: 0) == -0x1p31 && i32.value(at: 1) == 0x1p30 + 1)
    for dtype in [DType.bf16, .f16, .f32, .e4m3fn, .e5m2, .e8m0, .i8] {
      let bytes = (0..<64).map { UInt8(truncatingIfNeeded: $0 * 37 + 11) }
      let tensor = try Tensor(
        dtype: dtype, shape: [64 / dtype.byteCount], storage: bytes)
      let floats = try tensor.floats()
      for (index, value) in floats.enumerated() where !value.isNaN {
        #expect(tensor.value(at: index) == Double(value), "\(dtype) \(index)")
      }
    }
  }
}
