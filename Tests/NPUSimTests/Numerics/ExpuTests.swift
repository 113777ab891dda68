import NPUSim
import Testing

@Suite struct ExpuTests {
  /// CRC-32 (IEEE 802.3, reflected) of the little-endian words.
  private func crc32(_ words: [UInt16]) -> UInt32 {
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in words.flatMap({ [UInt8($0 & 255), UInt8($0 >> 8)] }) {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1 }
    }
    return ~crc
  }

  @Test func `the exponential is the published table`() {
    let words = (0...0xFFFF).map { Expu.exp(BF16(bits: UInt16($0))).bits }
    #expect(crc32(words) == 0xCE39_2524)
    #expect(words[0] == 0x3F80)
    #expect(words[0x3F80] == 0x402E)
    #expect(words[0xBF80] == 0x3EBC)
    #expect(BF16FunctionTable(.exp, mode: .expu).words == words)
  }

  @Test func `the exponential of an FP32 value is that of its BF16 rounding`() {
    for word in specialWords {
      let x = Float(bitPattern: word)
      let expected = Expu.exp(BF16(x))
      #expect(SpecialFunction.exp.fp32ToBF16(x, mode: .expu) == expected)
      #expect(SpecialFunction.exp.fp32(x, mode: .expu).bitPattern == expected.float.bitPattern)
    }
  }

  @Test func `the reciprocal has its seed and two Newton steps`() {
    // The seed of 3.0 is 0x3e9e0000 and the first step 0x3ea9ba00; the second is the result.
    #expect(Expu.reciprocal(3).bitPattern == 0x3EAA_A957)
    #expect(Expu.reciprocal(-3).bitPattern == 0xBEAA_A957)
    #expect(SpecialFunction.reciprocal.fp32(3, mode: .expu).bitPattern == 0x3EAA_A957)
    for exponent in -126...126 {
      let power = Float(sign: .plus, exponent: exponent, significand: 1)
      #expect(Expu.reciprocal(power) == 1 / power)
    }
  }

  @Test func `the reciprocal keeps the sign of zeros, infinities and extremes`() {
    func word(_ x: Float) -> UInt32 { Expu.reciprocal(x).bitPattern }
    #expect(word(0) == 0x7F80_0000 && word(-0.0) == 0xFF80_0000)
    #expect(word(0x1p-140) == 0x7F80_0000 && word(-0x1p-140) == 0xFF80_0000)
    #expect(word(0x1p127) == 0 && word(-0x1p127) == 0x8000_0000)
    #expect(word(.infinity) == 0 && word(-.infinity) == 0x8000_0000)
    #expect(word(Float(bitPattern: 0xFFC0_0000)) == 0x7FC0_0000)
  }

  @Test func `the reciprocal is within 2^-11 of 1/x where its result is normal`() {
    let seed: UInt64 = 43
    var random = NumericsRandom(seed: seed)
    for _ in 0..<seededCount(200_000) {
      let x = Float(bitPattern: UInt32.random(in: 0x0080_0000..<0x7E80_0000, using: &random))
      let error = (Double(Expu.reciprocal(x)) * Double(x) - 1).magnitude
      #expect(error < 0x1p-11, "\(hex(x.bitPattern)), seed \(seed)")
    }
  }

  @Test func `only exp and reciprocal change`() {
    for function in SpecialFunction.allCases where function != .exp && function != .reciprocal {
      for word in specialWords {
        let x = Float(bitPattern: word)
        #expect(
          function.fp32(x, mode: .expu).bitPattern
            == function.fp32(x, mode: .correctlyRounded).bitPattern)
      }
    }
  }
}
