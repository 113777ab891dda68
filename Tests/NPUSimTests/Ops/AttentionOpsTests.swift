import NPUSim
import Testing

@Suite struct AttentionOpsTests {
  @Test func `the fused exponential equals the oracle in FP32 and in BF16`() throws {
    let k = try #require(try opsGolden("exp2_k").floats.first)
    var bench = OpBench()
    let a = try bench.input(.bf16, 9, 70, try opsGolden("exp2_a"))
    let row = try bench.input(.f32, 9, 1, try opsGolden("exp2_row"))
    let single = try bench.output(.f32, 9, 70)
    let half = try bench.output(.bf16, 9, 70)
    let one = try bench.output(.f32, 9, 70)
    bench.emit(Exp2Fused(single, a, row, k: k))
    bench.emit(Exp2Fused(half, a, row, k: k))
    bench.emit(Exp2Fused(one, a, row, k: k, empty: .one))
    let (outputs, health) = try bench.run()
    let expected = try opsGolden("exp2_f32")
    #expect(outputs[0].payload == expected)
    #expect(outputs[1].payload == (try opsGolden("exp2_bf16")))
    // Row 8 has the limit −∞.
    #expect(outputs[2].payload.floats[0..<560] == expected.floats[0..<560])
    #expect(outputs[2].payload.floats[560...].allSatisfy { $0 == 1 })
    #expect(health == NumericHealth())
  }

  @Test func `the maximum of a scaled row is the scaled maximum of the row`() {
    for seed in 0..<UInt64(seededCount(2000)) {
      var random = NumericsRandom(seed: seed)
      let k = random.anyFloat().magnitude
      guard k > 0, k.isFinite else { continue }
      let row = random.block(40, specials: false).map { seed % 4 == 0 && $0 < 0 ? -.infinity : $0 }
      let scaled = row.map { FP32.mul($0, k) }.reduce(-.infinity, FP32.max)
      let maximum = FP32.mul(row.reduce(-.infinity, FP32.max), k)
      #expect(scaled.bitPattern == maximum.bitPattern, "seed \(seed)")
    }
  }

  @Test func `rescale-and-add rounds twice, in place or not`() throws {
    var bench = OpBench()
    let o = try bench.input(.f32, 6, 50, try opsGolden("rescale_o"))
    let f = try bench.input(.f32, 6, 1, try opsGolden("rescale_f"))
    let t = try bench.input(.f32, 6, 50, try opsGolden("rescale_t"))
    let apart = try bench.output(.f32, 6, 50)
    try bench.keep(o)
    bench.emit(RescaleAdd(apart, o, f, t))
    bench.emit(RescaleAdd(o, o, f, t))
    let (outputs, _) = try bench.run()
    let expected = try opsGolden("rescale_result")
    #expect(outputs[0].payload == expected)
    #expect(outputs[1].payload == expected)
  }

  @Test func `a causal mask hides keys after the query, a window those long before it`() throws {
    let values = (0..<12 * 40).map { Float($0) }
    for (row, column) in [(0, 0), (0, 5), (7, 0), (100, 90), (3, 60)] {
      for (causal, window) in [(true, nil), (true, 4), (true, 1), (false, 3), (false, nil)] {
        for group in [1, 3] {
          var bench = OpBench()
          let a = try bench.input(.f32, 12, 40, values.bytes)
          let masked = try bench.output(.f32, 12, 40)
          bench.emit(
            Mask(
              masked, a, row: row, column: column, causal: causal, window: window,
              rowsPerPosition: group))
          let (outputs, health) = try bench.run()
          let got = outputs[0].payload.floats
          for r in 0..<12 {
            for c in 0..<40 {
              let query = row + r / group
              let key = column + c
              let isHidden =
                (causal && key > query) || (window.map { key <= query - $0 } ?? false)
              #expect(got[40 * r + c] == (isHidden ? -.infinity : values[40 * r + c]))
            }
          }
          #expect(health == NumericHealth(), "masking produces no infinity")
        }
      }
    }
  }

  @Test func `select takes tiles, columns and immediates`() throws {
    let flags: [Float] = [1, 0, -0.0, .nan]
    let conditions = (0..<4 * 6).map { flags[($0 + $0 / 6) % 4] }
    let a = (0..<24).map { Float($0) }
    let b = (0..<24).map { -Float($0) }
    var bench = OpBench()
    let whole = try bench.input(.f32, 4, 6, conditions.bytes)
    let column = try bench.input(.f32, 4, 1, flags.bytes)
    let bytes = try bench.input(.i8, 4, 1, [0, 1, 0, 255])
    let first = try bench.input(.f32, 4, 6, a.bytes)
    let second = try bench.input(.f32, 4, 6, b.bytes)
    let results = try (0..<4).map { _ in try bench.output(.f32, 4, 6) }
    bench.emit(Select(results[0], where: whole, first, else: second))
    bench.emit(Select(results[1], where: column, first, else: second))
    bench.emit(SelectScalar(results[2], where: column, first, else: -.infinity))
    bench.emit(SelectScalar(results[3], where: bytes, first, else: 7))
    let (outputs, health) = try bench.run()
    func isSet(_ value: Float) -> Bool { value != 0 }
    let expected: [[Float]] = [
      (0..<24).map { isSet(conditions[$0]) ? a[$0] : b[$0] },
      (0..<24).map { isSet(flags[$0 / 6]) ? a[$0] : b[$0] },
      (0..<24).map { isSet(flags[$0 / 6]) ? a[$0] : -.infinity },
      (0..<24).map { $0 / 6 % 2 == 1 ? a[$0] : 7 },
    ]
    for (output, floats) in zip(outputs, expected) { #expect(output.payload.floats == floats) }
    #expect(health == NumericHealth())
  }

  @Test(arguments: RotatePairs.Pairing.allCases, ["bf16", "f32"])
  func `rotated pairs equal the oracle`(pairing: RotatePairs.Pairing, table: String) throws {
    let format = try #require(ElementFormat(name: table))
    var bench = OpBench()
    let x = try bench.input(.bf16, 7, 64, try opsGolden("rotate_x"))
    let c = try bench.input(format, 7, 32, try opsGolden("rotate_cos_\(table)"))
    let s = try bench.input(format, 7, 32, try opsGolden("rotate_sin_\(table)"))
    let y = try bench.output(.bf16, 7, 64)
    let last = try bench.output(.bf16, 7, 64)
    bench.emit(RotatePairs(y, x, cosine: c, sine: s, pairing))
    // One row of the tables for all rows.
    func row(_ tile: Tile<UB>) -> Tile<UB> {
      var one = tile
      one.ref.row = 6
      one.ref.rows = 1
      return one
    }
    bench.emit(RotatePairs(last, x, cosine: row(c), sine: row(s), pairing))
    let (outputs, _) = try bench.run()
    let name = pairing == .interleaved ? "interleaved" : "half"
    let expected = try opsGolden("rotate_\(name)_\(table)")
    #expect(outputs[0].payload == expected)
    #expect(outputs[1].payload.suffix(128) == expected.suffix(128))
  }

  @Test(arguments: [90, 30, 1]) func `the first maximum, in one tile or several`(width: Int) throws
  {
    let values = try opsGolden("argmax_a").floats
    // A tile starts on the alignment: its columns come as tensors of their own.
    var bench = OpBench()
    var tiles: [Tile<UB>] = []
    for start in stride(from: 0, to: 90, by: width) {
      let part = (0..<8).flatMap { row in (0..<width).map { values[90 * row + start + $0] } }
      tiles.append(try bench.input(.f32, 8, width, part.bytes))
    }
    let index = try bench.output(.i32, 8, 1)
    let maximum = try bench.output(.f32, 8, 1)
    for (k, tile) in tiles.enumerated() {
      bench.emit(ArgMax(index, maximum, tile, base: Int32(k * width), start: k == 0))
    }
    let (outputs, _) = try bench.run()
    let expected = try opsGolden("argmax_index").integers
    #expect(outputs[0].payload.integers == expected)
    for row in 0..<8 {
      let found = values[90 * row + Int(expected[row])]
      let got = outputs[1].payload.floats[row]
      #expect(got == found || (got.isNaN && found.isNaN))
    }
  }
}
