import NPUSim
import Testing

@Suite struct SpecialFunctionTests {
  /// The words of a full table, or of half a table completed by the function's symmetry.
  private func bf16Table(_ function: SpecialFunction) throws -> [UInt16] {
    let table = try NumericsGolden("bf16_\(function)").uint16
    if table.count == 0x10000 { return table }
    #expect(table.count == 0x8000)
    let negative = table.indices.map { index -> UInt16 in
      let word = table[index]
      if word == 0x7FC0 { return word }
      switch function {
      case .reciprocal, .sin: return word ^ 0x8000
      case .cos: return word
      case .rsqrt: return index == 0 ? 0xFF80 : 0x7FC0
      default: return index == 0 ? 0xFF80 : 0x7FC0  // log
      }
    }
    return table + negative
  }

  @Test(arguments: SpecialFunction.allCases)
  func `all 65,536 BF16 results are the exact value rounded once`(
    function: SpecialFunction
  ) throws {
    let expected = try bf16Table(function)
    var wrong: [String] = []
    for word in UInt16.min...UInt16.max {
      let got = function.bf16(BF16(bits: word), mode: .correctlyRounded).bits
      if got != expected[Int(word)] {
        wrong.append("\(hex(word)): \(hex(got)), not \(hex(expected[Int(word)]))")
      }
    }
    #expect(wrong.prefix(20) == [])
  }

  @Test(arguments: SpecialFunction.allCases)
  func `FP32 results are the exact value rounded once, to FP32 and to BF16`(
    function: SpecialFunction
  ) throws {
    let words = try NumericsGolden("fp32_\(function)").uint32
    let count = words.count / 3
    var wrong: [String] = []
    for index in 0..<count {
      let x = Float(bitPattern: words[index])
      let wide = function.fp32(x, mode: .correctlyRounded).bitPattern
      let narrow = function.fp32ToBF16(x, mode: .correctlyRounded).bits
      if wide != words[count + index] || UInt32(narrow) != words[2 * count + index] {
        wrong.append(
          "\(hex(words[index])): \(hex(wide)), not \(hex(words[count + index])); "
            + "\(hex(narrow)), not \(hex(words[2 * count + index]))")
      }
    }
    #expect(wrong.prefix(20) == [])
  }

  @Test func `exact cases come out exact`() {
    func fp32(_ function: SpecialFunction, _ x: Float) -> Float {
      function.fp32(x, mode: .correctlyRounded)
    }
    #expect(fp32(.exp, 0) == 1 && fp32(.exp, -0.0) == 1)
    for exponent in -149...127 {
      let power = Float(sign: .plus, exponent: exponent, significand: 1)
      #expect(fp32(.exp2, Float(exponent)) == power)
      if exponent >= -127 { #expect(fp32(.reciprocal, power) == 1 / power) }
      if exponent % 2 == 0 {
        let root = Float(sign: .plus, exponent: -exponent / 2, significand: 1)
        #expect(fp32(.rsqrt, power) == root)
      }
    }
    #expect(fp32(.log, 1).bitPattern == 0)
    #expect(fp32(.cos, 0) == 1 && fp32(.sigmoid, 0) == 0.5)
  }

  @Test func `special values follow the contract, signs included`() {
    let inf = Float.infinity
    let nan = FP32.canonicalNaN
    let table: [(SpecialFunction, [Float])] = [
      // Results at −∞, −1, −0, +0, +∞ (nil entries of the contract are finite and tested above).
      (.exp, [0, 1, 1, inf]), (.exp2, [0, 1, 1, inf]), (.reciprocal, [-0.0, -inf, inf, 0]),
      (.rsqrt, [nan, -inf, inf, 0]), (.sin, [nan, -0.0, 0, nan]), (.cos, [nan, 1, 1, nan]),
      (.sigmoid, [0, 0.5, 0.5, 1]), (.silu, [-0.0, -0.0, 0, inf]), (.log, [nan, -inf, -inf, inf]),
    ]
    for (function, expected) in table {
      for (x, y) in zip([-inf, -0.0, 0, inf], expected) {
        let wide = function.fp32(x, mode: .correctlyRounded)
        let narrow = function.bf16(BF16(x), mode: .correctlyRounded)
        #expect(wide.bitPattern == y.bitPattern, "\(function)(\(x))")
        #expect(narrow.bits == BF16(y).bits, "\(function)(\(x))")
      }
      for word in [0x7FC0_0000, 0xFFC0_0000, 0x7F80_0001, 0xFFFF_FFFF] as [UInt32] {
        let x = Float(bitPattern: word)
        #expect(function.fp32(x, mode: .correctlyRounded).bitPattern == 0x7FC0_0000)
        #expect(function.fp32ToBF16(x, mode: .correctlyRounded).bits == 0x7FC0)
      }
    }
    #expect(SpecialFunction.rsqrt.fp32(-1, mode: .correctlyRounded).bitPattern == nan.bitPattern)
    #expect(SpecialFunction.log.fp32(-1, mode: .correctlyRounded).bitPattern == nan.bitPattern)
  }

  @Test func `no result of a million random inputs is left undecided`() {
    let seed: UInt64 = 41
    var random = NumericsRandom(seed: seed)
    for function in SpecialFunction.allCases {
      var undecided: [UInt32] = []
      for _ in 0..<seededCount(100_000) {
        let x = random.anyFloat()
        if function.fp32Decision(x) == .undecided || function.bf16Decision(x) == .undecided {
          undecided.append(x.bitPattern)
        }
      }
      #expect(undecided == [], "\(function), seed \(seed)")
    }
  }
}
