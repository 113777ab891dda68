import NPUSim
import Testing

@Suite struct FP8OpsTests {
  /// Rows of two blocks, the second one short: 128 + 72 columns.
  static func rows(_ count: Int, seed: UInt64) -> [Float] {
    var random = NumericsRandom(seed: seed)
    return (0..<count).flatMap { _ in random.block(200, specials: false) }
      .map { BF16($0).float }
  }

  static func definition(
    _ values: [Float], _ format: FP8Block.Format, _ rule: FP8Block.ScaleRule
  ) -> (scales: [UInt8], codes: [UInt8]) {
    let variant = FP8BlockTests.Variant(format: format, rule: rule, name: "")
    var scales: [UInt8] = []
    var codes: [UInt8] = []
    for row in 0..<values.count / 200 {
      for range in [0..<128, 128..<200] {
        let (word, block) = variant.define(range.map { values[200 * row + $0] })
        scales += rule == .fp32 ? [word].bytes : [UInt8(word)]
        codes += block
      }
    }
    return (scales, codes)
  }

  @Test(arguments: FP8BlockTests.Variant.all, [ElementFormat.bf16, .f32])
  func `one micro-op encodes what the definition does`(
    variant: FP8BlockTests.Variant, source: ElementFormat
  ) throws {
    let values = Self.rows(5, seed: 11)
    let code: ElementFormat = variant.format == .e4m3fn ? .e4m3fn : .e5m2
    let scaleFormat: ElementFormat = variant.rule == .fp32 ? .f32 : .e8m0
    var bench = OpBench()
    let bytes =
      source == .f32 ? values.bytes : values.map { BF16($0).bits }.bytes
    let a = try bench.input(source, 5, 200, bytes)
    let codes = try bench.output(code, 5, 200)
    let scales = try bench.output(scaleFormat, 5, 2)
    bench.emit(
      EncodeFP8(codes, scales, a, roundScale: variant.rule == .e8m0(roundsUp: true)))
    let (outputs, _) = try bench.run()
    let expected = Self.definition(values, variant.format, variant.rule)
    #expect(outputs[0].payload == expected.codes)
    #expect(outputs[1].payload == expected.scales)
  }

  @Test(arguments: FP8BlockTests.Variant.all)
  func `the composed form gives the same words`(variant: FP8BlockTests.Variant) throws {
    var values = Self.rows(6, seed: 12)
    // A block of zeros, and with an FP32 scale NaN and infinities too.
    for column in 0..<128 { values[column] = 0 }
    if variant.rule == .fp32 {
      values[205] = .nan
      values[206] = -.infinity
    }
    let code: ElementFormat = variant.format == .e4m3fn ? .e4m3fn : .e5m2
    var bench = OpBench()
    let a = try bench.input(.f32, 6, 200, values.bytes)
    let amax = try bench.output(.f32, 6, 2)
    let scale = try bench.output(.f32, 6, 2)
    let power = try bench.output(.e8m0, 6, 2)
    let quotient = try bench.output(.f32, 6, 200)
    let codes = try bench.output(code, 6, 200)
    bench.emit(BlockAbsMax(amax, a))
    var divisor = scale
    switch variant.rule {
    case .fp32:
      bench.emit(WithScalar<MulRule>(scale, amax, variant.format.reciprocal))
      bench.emit(CastScale(power, scale, .floor))
      bench.emit(BlockBroadcast<DivRule>(quotient, a, divisor))
      bench.emit(SelectFinite(quotient, quotient, else: a))
      bench.emit(Cast(codes, quotient, saturating: false))
    case .e8m0(let roundsUp):
      bench.emit(WithScalar<MaxRule>(amax, amax, 1e-4))
      bench.emit(WithScalar<MulRule>(scale, amax, variant.format.reciprocal))
      bench.emit(CastScale(power, scale, roundsUp ? .ceil : .floor))
      if roundsUp { divisor = power }
      bench.emit(BlockBroadcast<DivRule>(quotient, a, divisor))
      bench.emit(Cast(codes, quotient))
    }
    let (outputs, _) = try bench.run()
    let expected = Self.definition(values, variant.format, variant.rule)
    #expect(outputs[variant.rule == .fp32 ? 1 : 2].payload == expected.scales)
    #expect(outputs[4].payload == expected.codes)
  }

  @Test(arguments: ["e4m3fn", "e5m2"], [BlockAxis.alongColumns, .alongRows])
  func `requantising equals the oracle in one micro-op and in three`(kind: String, axis: BlockAxis)
    throws
  {
    let format = try #require(ElementFormat(name: kind))
    let codeBytes = try opsGolden("requantise_\(kind)_codes")
    let scaleBytes = try opsGolden("requantise_\(kind)_scales")
    var bench = OpBench(machine: TestMachine.small(memory: 1 << 18))
    let codes = try bench.input(format, 37, 200, codeBytes)
    let scales = try bench.input(.f32, 37, 2, scaleBytes)
    let one = try bench.output(.mxint8, 37, 200, axis: axis)
    let three = try bench.output(.mxint8, 37, 200, axis: axis)
    let values = try bench.output(.f32, 37, 200)
    bench.emit(RequantiseFP8(one, codes, scales))
    bench.emit(Cast(values, codes))
    bench.emit(BlockBroadcast<MulRule>(values, values, scales))
    bench.emit(EncodeMX(three, values))
    let (outputs, _) = try bench.run()
    let name = axis == .alongColumns ? "columns" : "rows"
    for output in outputs[0...1] {
      #expect(output.payload == (try opsGolden("requantise_\(kind)_\(name)_payload")))
      #expect(output.scales == (try opsGolden("requantise_\(kind)_\(name)_mx")))
    }
  }

  @Test(arguments: [BlockAxis.alongColumns, .alongRows])
  func `decoding MXINT8 equals the oracle`(axis: BlockAxis) throws {
    // The oracle's blocks run along columns; transposed, the same blocks run down rows.
    func turned(_ bytes: [UInt8], _ rows: Int, _ columns: Int, size: Int = 1) -> [UInt8] {
      if axis == .alongColumns { return bytes }
      return (0..<columns).flatMap { column in
        (0..<rows).flatMap { row in
          (0..<size).map { bytes[(row * columns + column) * size + $0] }
        }
      }
    }
    let payload = turned(try opsGolden("requantise_e4m3fn_columns_payload"), 37, 200)
    let scales = turned(try opsGolden("requantise_e4m3fn_columns_mx"), 37, 7)
    let (rows, columns) = axis == .alongColumns ? (37, 200) : (200, 37)
    var bench = OpBench(machine: TestMachine.small(memory: 1 << 18))
    let a = try bench.input(.mxint8, rows, columns, payload, scales: scales, axis: axis)
    let single = try bench.output(.f32, rows, columns)
    let half = try bench.output(.bf16, rows, columns)
    bench.emit(DecodeMX(single, a))
    bench.emit(DecodeMX(half, a))
    let (outputs, _) = try bench.run()
    #expect(
      canonicalWords(outputs[0].payload)
        == canonicalWords(turned(try opsGolden("decode_f32"), 37, 200, size: 4)))
    #expect(outputs[1].payload == turned(try opsGolden("decode_bf16"), 37, 200, size: 2))
  }
}
