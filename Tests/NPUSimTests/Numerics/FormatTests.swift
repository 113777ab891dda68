import NPUSim
import Testing

@Suite struct FormatTests {
  /// A 16-bit magnitude table doubled to both signs by the rule that the sign is kept.
  private func bothSigns(
    _ name: String, sign: UInt8, check: (UInt16, UInt8) -> Bool
  ) throws -> [UInt16] {
    let table = try NumericsGolden(name).bytes
    #expect(table.count == 0x8000)
    return (0..<UInt16(table.count)).flatMap { word -> [UInt16] in
      let expected = table[Int(word)]
      return [word, word | 0x8000].filter { source in
        !check(source, source >= 0x8000 ? expected | sign : expected)
      }
    }
  }

  @Test(arguments: [false, true])
  func `every BF16 and FP16 word converts to the 8-bit formats as ml_dtypes does`(
    saturating: Bool
  ) throws {
    let suffix = saturating ? "_saturating" : ""
    // ml_dtypes gives E5M2 NaNs the payload 0x7E and E4M3FN NaNs 0x7F, as the contract does.
    #expect(
      try bothSigns("bf16_to_e4m3fn" + suffix, sign: 0x80) {
        E4M3FN(BF16(bits: $0).float, saturating: saturating).bits == $1
      } == [])
    #expect(
      try bothSigns("fp16_to_e4m3fn" + suffix, sign: 0x80) {
        E4M3FN(FP16(bits: $0).float, saturating: saturating).bits == $1
      } == [])
    #expect(
      try bothSigns("bf16_to_e5m2" + suffix, sign: 0x80) {
        E5M2(BF16(bits: $0).float, saturating: saturating).bits == $1
      } == [])
    #expect(
      try bothSigns("fp16_to_e5m2" + suffix, sign: 0x80) {
        E5M2(FP16(bits: $0).float, saturating: saturating).bits == $1
      } == [])
  }

  @Test func `every FP16 word decodes, and BF16 and FP16 convert into each other`() throws {
    let wide = try NumericsGolden("fp16_to_fp32").float
    let toBF16 = try NumericsGolden("fp16_to_bf16").uint16
    let toFP16 = try NumericsGolden("bf16_to_fp16").uint16
    var wrong: [UInt16] = []
    for word in UInt16(0)..<0x8000 {
      for sign in [UInt16(0), 0x8000] {
        let half = FP16(bits: word | sign)
        let expected = wide[Int(word)]
        let signed = sign == 0 ? expected : -expected
        let exact =
          expected.isNaN
          ? half.float.bitPattern == UInt32(sign) << 16 | 0x7FC0_0000
          : half.float.bitPattern == signed.bitPattern
        let narrow = BF16(half.float).bits == toBF16[Int(word)] | sign
        let brain = FP16(BF16(bits: word | sign).float).bits == toFP16[Int(word)] | sign
        if !exact || !narrow || !brain { wrong.append(word | sign) }
      }
    }
    #expect(wrong == [])
  }

  @Test func `widening and narrowing again gives every word back, NaN canonical`() {
    for word in UInt16.min...UInt16.max {
      let brain = BF16(bits: word)
      let half = FP16(bits: word)
      let nanBrain = word & 0x7FFF > 0x7F80
      let nanHalf = word & 0x7FFF > 0x7C00
      #expect(BF16(brain.float).bits == (nanBrain ? word & 0x8000 | 0x7FC0 : word))
      #expect(FP16(half.float).bits == (nanHalf ? word & 0x8000 | 0x7E00 : word))
    }
  }

  @Test func `all 256 words of each 8-bit format decode as ml_dtypes decodes them`() throws {
    let e4m3fn = try NumericsGolden("e4m3fn_to_fp32").float
    let e5m2 = try NumericsGolden("e5m2_to_fp32").float
    let e8m0 = try NumericsGolden("e8m0_to_fp32").float
    for word in UInt8.min...UInt8.max {
      let sign: UInt32 = word >= 0x80 ? 0x8000_0000 : 0
      let pairs = [
        (E4M3FN(bits: word).float, e4m3fn[Int(word)], sign | 0x7FC0_0000),
        (E5M2(bits: word).float, e5m2[Int(word)], sign | 0x7FC0_0000),
        (E8M0(bits: word).float, e8m0[Int(word)], 0x7FC0_0000),
      ]
      for (got, expected, nan) in pairs {
        #expect(got.bitPattern == (expected.isNaN ? nan : expected.bitPattern), "\(hex(word))")
      }
    }
    #expect(E8M0.nan.bits == 0xFF)
  }

  @Test func `each rounding boundary and its two FP32 neighbours round to the right side`() throws {
    func check(
      _ name: String, last: UInt32, signBit: UInt32, value: (UInt32) -> Float,
      narrow: (Float) -> UInt32
    ) throws {
      let golden = try NumericsGolden("boundaries_" + name).bytes
      #expect(golden.count == Int(last))
      var wrong: [UInt32] = []
      for code in 0..<last {
        let below = Double(value(code))
        // Past the largest finite code the next value would be one more unit away.
        let unit = below - Double(value(max(code, 1) - 1))
        let above = code + 1 == last ? below + unit : Double(value(code + 1))
        let middle = Float((below + above) / 2).bitPattern
        for (bit, word) in [middle - 1, middle, middle + 1].enumerated() {
          let expected = code + UInt32(golden[Int(code)] >> UInt8(bit)) & 1
          for sign in [UInt32(0), 1] {
            let got = narrow(Float(bitPattern: word | sign << 31))
            if got != expected | sign * signBit { wrong.append(word | sign << 31) }
          }
        }
      }
      #expect(wrong.map { hex($0) } == [], "\(name)")
    }
    try check(
      "bf16", last: 0x7F80, signBit: 0x8000, value: { BF16(bits: UInt16($0)).float },
      narrow: { UInt32(BF16($0).bits) })
    try check(
      "fp16", last: 0x7C00, signBit: 0x8000, value: { FP16(bits: UInt16($0)).float },
      narrow: { UInt32(FP16($0).bits) })
    try check(
      "e4m3fn", last: 0x7F, signBit: 0x80, value: { E4M3FN(bits: UInt8($0)).float },
      narrow: { UInt32(E4M3FN($0, saturating: false).bits) })
    try check(
      "e5m2", last: 0x7C, signBit: 0x80, value: { E5M2(bits: UInt8($0)).float },
      narrow: { UInt32(E5M2($0, saturating: false).bits) })
  }

  @Test func `saturation differs from overflow only beyond the largest finite value`() {
    let cases: [(Float, UInt8, UInt8, UInt8, UInt8)] = [
      // value, E4M3FN, E4M3FN saturating, E5M2, E5M2 saturating
      (448, 0x7E, 0x7E, 0x5F, 0x5F), (464, 0x7E, 0x7E, 0x5F, 0x5F),
      (Float(464).nextUp, 0x7F, 0x7E, 0x5F, 0x5F), (-1e9, 0xFF, 0xFE, 0xFC, 0xFB),
      (Float(61440).nextDown, 0x7F, 0x7E, 0x7B, 0x7B), (61440, 0x7F, 0x7E, 0x7C, 0x7B),
      (.infinity, 0x7F, 0x7E, 0x7C, 0x7B), (-.infinity, 0xFF, 0xFE, 0xFC, 0xFB),
      (Float(bitPattern: 0x7F80_0001), 0x7F, 0x7F, 0x7E, 0x7E),
      (Float(bitPattern: 0xFFC1_2345), 0xFF, 0xFF, 0xFE, 0xFE),
    ]
    for (value, e4, e4s, e5, e5s) in cases {
      #expect(E4M3FN(value, saturating: false).bits == e4, "\(value)")
      #expect(E4M3FN(value, saturating: true).bits == e4s, "\(value)")
      #expect(E5M2(value, saturating: false).bits == e5, "\(value)")
      #expect(E5M2(value, saturating: true).bits == e5s, "\(value)")
    }
  }

  @Test func `a NaN converts to the format's NaN with its sign`() {
    for payload in [UInt32(1), 0x8000, 0x3F_FFFF, 0x40_0000, 0x7F_FFFF] {
      let positive = Float(bitPattern: 0x7F80_0000 | payload)
      let negative = Float(bitPattern: 0xFF80_0000 | payload)
      #expect(BF16(positive).bits == 0x7FC0 && BF16(negative).bits == 0xFFC0)
      #expect(FP16(positive).bits == 0x7E00 && FP16(negative).bits == 0xFE00)
    }
  }

  @Test func `E8M0 rounds a magnitude down, up or to the nearer power of two`() throws {
    let rows = try NumericsGolden("e8m0_cases").uint32
    for row in stride(from: 0, to: rows.count, by: 4) {
      let value = Float(bitPattern: rows[row])
      #expect(E8M0(value, mode: .floor).bits == UInt8(rows[row + 1]), "\(hex(rows[row]))")
      #expect(E8M0(value, mode: .ceil).bits == UInt8(rows[row + 2]), "\(hex(rows[row]))")
      #expect(E8M0(value, mode: .nearest).bits == UInt8(rows[row + 3]), "\(hex(rows[row]))")
    }
  }
}
