import NPUSim
import Testing

/// Which results that are not finite are reported: NaN, and what overflows; not what was passed on,
/// and not what a definition names.
@Suite struct NumericHealthTests {
  /// Values among which every kind of result comes up: extremes, zeros, infinities, NaN.
  private static let palette: [Float] = [
    0, -0.0, 1, -2.5, 3e38, -3e38, 0x1p-133, .infinity, -.infinity, .nan, 2e30, 1e-30,
  ]

  private static func values(_ count: Int, seed: UInt64, specials: Bool) -> [Float] {
    var random = NumericsRandom(seed: seed)
    return (0..<count).map { _ in
      let value = palette[Int(random.next() % UInt64(palette.count))]
      return BF16(value.isFinite || specials ? value : 1).float
    }
  }

  private static func bytes(_ values: [Float], _ format: ElementFormat) -> [UInt8] {
    format == .bf16 ? values.map { BF16($0).bits }.bytes : values.bytes
  }

  private static func floats(_ bytes: [UInt8], _ format: ElementFormat) -> [Float] {
    guard format == .bf16 else { return bytes.floats }
    return stride(from: 0, to: bytes.count, by: 2).map {
      BF16(bits: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8).float
    }
  }

  /// Where a result goes.
  enum Place: CaseIterable { case apart, first, second }

  private func check<Rule: ArithmeticRule>(
    _ rule: Rule.Type, _ format: ElementFormat, _ place: Place, specials: Bool
  ) throws {
    let (rows, columns) = (3, 1700)
    let a = Self.values(rows * columns, seed: 5, specials: specials)
    let b = Self.values(rows * columns, seed: 6, specials: specials)
    var bench = OpBench()
    let first = try bench.input(format, rows, columns, Self.bytes(a, format))
    let second = try bench.input(format, rows, columns, Self.bytes(b, format))
    let to: Tile<UB>
    switch place {
    case .apart: to = try bench.output(format, rows, columns)
    case .first: (to, _) = (first, try bench.keep(first))
    case .second: (to, _) = (second, try bench.keep(second))
    }
    bench.emit(Elementwise<Rule>(to, first, second))
    let (outputs, health) = try bench.run()
    var (nans, infinities) = (0, 0)
    for (index, result) in Self.floats(outputs[0].payload, format).enumerated() {
      if result.isNaN { nans += 1 }
      if result.isInfinite && a[index].isFinite && b[index].isFinite { infinities += 1 }
    }
    if Rule.selects { (nans, infinities) = (0, 0) }
    #expect(health.nans == nans, "\(Rule.name) \(format) \(place)")
    #expect(health.infinities == infinities, "\(Rule.name) \(format) \(place)")
    if !Rule.selects { #expect(infinities > 0 && nans > 0 || !specials) }
  }

  @Test(arguments: [ElementFormat.bf16, .f32], Place.allCases)
  func `an infinity of finite operands counts, and one that is passed on does not`(
    format: ElementFormat, place: Place
  ) throws {
    for specials in [false, true] {
      try check(AddRule.self, format, place, specials: specials)
      try check(SubRule.self, format, place, specials: specials)
      try check(MulRule.self, format, place, specials: specials)
      try check(DivRule.self, format, place, specials: specials)
      try check(MaxRule.self, format, place, specials: specials)
    }
  }

  private func special<Rule: SpecialRule>(
    _ rule: Rule.Type, _ values: [Float], _ format: ElementFormat, isInPlace: Bool
  ) throws -> NumericHealth {
    var bench = OpBench()
    let a = try bench.input(format, 1, values.count, Self.bytes(values, format))
    let to = isInPlace ? a : try bench.output(format, 1, values.count)
    bench.emit(Special<Rule>(to, a))
    return try bench.run().health
  }

  @Test(arguments: [ElementFormat.bf16, .f32], [false, true])
  func `a pole that the table of special values names is no fault`(
    format: ElementFormat, isInPlace: Bool
  ) throws {
    let poles: [Float] = [0, -0.0, .infinity, 1, 4]
    for health in [
      try special(ReciprocalRule.self, poles, format, isInPlace: isInPlace),
      try special(RsqrtRule.self, poles, format, isInPlace: isInPlace),
      try special(LogRule.self, poles, format, isInPlace: isInPlace),
      try special(ExpRule.self, [-.infinity, .infinity, 0], format, isInPlace: isInPlace),
    ] { #expect(health.nans == 0 && health.infinities == 0, "\(format)") }
  }

  @Test(arguments: [ElementFormat.bf16, .f32], [false, true])
  func `an overflow and an invalid argument of a function are faults`(
    format: ElementFormat, isInPlace: Bool
  ) throws {
    let large = try special(ExpRule.self, [89, 88, 1e30, -1e30], format, isInPlace: isInPlace)
    #expect(large.infinities == 2 && large.nans == 0)
    let tiny = try special(ReciprocalRule.self, [0x1p-133, 1], format, isInPlace: isInPlace)
    #expect(tiny.infinities == 1 && tiny.nans == 0)
    let negative = try special(LogRule.self, [-1, .nan, 2], format, isInPlace: isInPlace)
    #expect(negative.infinities == 0 && negative.nans == 2)
  }

  @Test func `a row sum counts where finite addends overflow, and where that happens`() throws {
    func health(_ values: [Float]) throws -> NumericHealth {
      var bench = OpBench()
      let lanes = TestMachine.small().vector.lanes
      let a = try bench.input(.f32, 1, values.count, values.bytes)
      let partials = try bench.output(.f32, 1, min(lanes, values.count))
      let sum = try bench.output(.f32, 1, 1)
      bench.emit(RowSum(partials, a, start: true))
      bench.emit(RowFinish(sum, partials))
      return try bench.run().health
    }
    let lanes = TestMachine.small().vector.lanes
    // Two in one lane, two in neighbouring lanes, and an infinity that came with the row.
    var row = [Float](repeating: 0, count: 4 * lanes)
    (row[0], row[lanes]) = (3e38, 3e38)
    #expect(try health(row).infinities == 1)
    (row[1], row[lanes]) = (3e38, 0)
    #expect(try health(row).infinities == 1)
    (row[0], row[1]) = (-.infinity, 0)
    #expect(try health(row) == NumericHealth())
  }

  @Test func `codes that are infinite count as infinities, and NaN codes as NaN`() throws {
    func health(_ format: ElementFormat, _ value: Float) throws -> NumericHealth {
      let row = [Float](repeating: value, count: 128)
      var bench = OpBench()
      let a = try bench.input(.bf16, 1, 128, row.map { BF16($0).bits }.bytes)
      let codes = try bench.output(format, 1, 128)
      let scales = try bench.output(.f32, 1, 1)
      bench.emit(EncodeFP8(codes, scales, a))
      return try bench.run().health
    }
    let tiny = try health(.e5m2, 0x1p-133)
    #expect(tiny.infinities == 128 && tiny.nans == 0)
    #expect(try health(.e5m2, .infinity) == NumericHealth())
    #expect(try health(.e5m2, .nan).nans == 128)
    #expect(try health(.e4m3fn, .infinity).nans == 128)
  }

  @Test func `a cast to FP8 counts as the encode does`() throws {
    for format in [ElementFormat.e4m3fn, .e5m2] {
      let row: [Float] = [1e6, -1e6, 1, .infinity, .nan]
      var bench = OpBench()
      let a = try bench.input(.f32, 1, row.count, row.bytes)
      let codes = try bench.output(format, 1, row.count)
      bench.emit(Cast(codes, a, saturating: false))
      let health = try bench.run().health
      // E4M3FN has no infinity: what overflows is NaN.
      #expect(health.nans == (format == .e5m2 ? 1 : 4))
      #expect(health.infinities == (format == .e5m2 ? 2 : 0))
    }
  }

  @Test func `a block of zeros divides by its scale of zero without a fault`() throws {
    let row = [Float](repeating: 0, count: 128) + [Float](repeating: 3e38, count: 128)
    var bench = OpBench()
    let a = try bench.input(.f32, 1, 256, row.bytes)
    let scales = try bench.input(.f32, 1, 2, [Float](arrayLiteral: 0, 0.5).bytes)
    let result = try bench.output(.f32, 1, 256)
    bench.emit(BlockBroadcast<DivRule>(result, a, scales))
    let health = try bench.run().health
    #expect(health.nans == 0 && health.infinities == 128)
  }

  @Test func `micro-ops that only choose count nothing`() throws {
    let values = Self.values(64, seed: 9, specials: true)
    var bench = OpBench()
    let a = try bench.input(.f32, 1, 64, values.bytes)
    let result = try bench.output(.f32, 1, 64)
    let top = try bench.output(.f32, 1, 1)
    bench.emit(SelectFinite(result, a, else: a))
    bench.emit(RowMax(top, a, start: true))
    bench.emit(Fill(result, -.infinity))
    #expect(try bench.run().health == NumericHealth())
  }
}
