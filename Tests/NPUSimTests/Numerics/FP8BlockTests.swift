import NPUSim
import Testing

@Suite struct FP8BlockTests {
  static func block(_ bytes: [UInt8], _ index: Int) -> [Float] {
    [UInt8](bytes[512 * index..<512 * (index + 1)]).floats
  }

  struct Variant: Sendable, CustomTestStringConvertible {
    var format: FP8Block.Format
    var rule: FP8Block.ScaleRule
    var name: String
    var testDescription: String { "\(format.rawValue) \(name)" }

    static let all = FP8Block.Format.allCases.flatMap { format in
      [
        Variant(format: format, rule: .fp32, name: "mode1"),
        Variant(format: format, rule: .e8m0(roundsUp: true), name: "mode0_round"),
        Variant(format: format, rule: .e8m0(roundsUp: false), name: "mode0_exact"),
      ]
    }

    func define(_ values: [Float]) -> (word: UInt32, codes: [UInt8]) {
      switch rule {
      case .fp32:
        let result = FP8Block.encode(values, format: format)
        return (result.scale.bitPattern, result.codes)
      case .e8m0(let roundsUp):
        let result = FP8Block.encode(values, format: format, roundsUp: roundsUp)
        return (UInt32(result.scale.bits), result.codes)
      }
    }

    func bulk(_ values: [Float]) -> (word: UInt32, codes: [UInt8]) {
      var work = values
      var codes = [UInt8](repeating: 0, count: values.count)
      let word = FP8Block.encode(
        &work, count: values.count, format: format, rule: rule, codes: &codes)
      return (word, codes)
    }
  }

  @Test(arguments: Variant.all)
  func `scales and codes equal the oracle's, by definition and in bulk`(variant: Variant) throws {
    var input = try opsGolden("fp8_finite")
    if variant.rule == .fp32 { input += try opsGolden("fp8_special") }
    let stem = "fp8_\(variant.format.rawValue)_\(variant.name)"
    let scales = try opsGolden(stem + "_scales").floats.map(\.bitPattern)
    let codes = try opsGolden(stem + "_codes")
    #expect(scales.count == input.count / 512)
    for index in scales.indices {
      let values = Self.block(input, index)
      let expected = [UInt8](codes[128 * index..<128 * (index + 1)])
      for (word, got) in [variant.define(values), variant.bulk(values)] {
        #expect(word == scales[index], "block \(index): \(hex(word)) for \(hex(scales[index]))")
        let different = (0..<128).filter { got[$0] != expected[$0] }
        #expect(
          different.isEmpty,
          """
          block \(index): \(different.prefix(4).map {
            "\(hex(values[$0].bitPattern)) gave \(hex(got[$0])) for \(hex(expected[$0]))"
          })
          """)
      }
    }
  }

  @Test(arguments: Variant.all)
  func `the bulk path is the definition on any words and any length`(variant: Variant) {
    for seed in 0..<UInt64(seededCount(3000)) {
      var random = NumericsRandom(seed: seed)
      let count = Int(random.next() % 129)
      let values =
        seed % 3 == 0
        ? (0..<count).map { _ in random.anyFloat() } : random.block(count, specials: seed % 3 == 1)
      let definition = variant.define(values)
      let bulk = variant.bulk(values)
      #expect(
        definition.word == bulk.word && definition.codes == bulk.codes, "seed \(seed)")
    }
  }

  @Test func `the page's vectors`() {
    let vectors: [(FP8Block.Format, Float, UInt32, UInt8)] = [
      (.e4m3fn, 0, 0x0000_0000, 105), (.e4m3fn, 0.5, 0x3A92_4925, 118),
      (.e4m3fn, 1, 0x3B12_4925, 119), (.e4m3fn, 1.75, 0x3B80_0000, 119),
      (.e4m3fn, 448, 0x3F80_0000, 127), (.e4m3fn, 65504, 0x4312_36DC, 135),
      (.e5m2, 0, 0x0000_0000, 98), (.e5m2, 1, 0x3792_4925, 112),
      (.e5m2, 57344, 0x3F80_0000, 127),
    ]
    for (format, maximum, word, byte) in vectors {
      #expect(FP8Block.encode([-maximum, 0], format: format).scale.bitPattern == word)
      #expect(FP8Block.encode([maximum], format: format, roundsUp: true).scale.bits == byte)
    }
  }

  @Test func `NaN and infinities keep their kind where the format has it`() {
    let values: [Float] = [1, .nan, -.nan, .infinity, -.infinity]
    #expect(FP8Block.encode(values, format: .e4m3fn).codes == [0x7E, 0x7F, 0xFF, 0x7F, 0xFF])
    #expect(FP8Block.encode(values, format: .e5m2).codes == [0x7B, 0x7E, 0xFE, 0x7C, 0xFC])
    // No finite element: the scale is +0, and the codes are those of the elements themselves.
    let none = FP8Block.encode([.infinity, -.infinity], format: .e5m2)
    #expect(none.scale.bitPattern == 0)
    #expect(none.codes == [0x7C, 0xFC])
  }
}
