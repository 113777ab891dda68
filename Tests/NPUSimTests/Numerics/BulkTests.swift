import NPUSim
import Testing

@Suite struct BulkTests {
  /// All special words, every BF16 word, every boundary between BF16 words, and random words.
  private func inputs() -> [Float] {
    var random = NumericsRandom(seed: 31)
    var words = specialWords
    for high in UInt32(0)...0xFFFF {
      words.append(high << 16)
      words.append(high << 16 | [0x7FFF, 0x8000, 0x8001, 0x0001, 0xFFFF][Int(high % 5)])
    }
    for _ in 0..<seededCount(1_000_000) { words.append(UInt32(truncatingIfNeeded: random.next())) }
    // Magnitudes where the 8-bit formats live.
    for _ in 0..<seededCount(1_000_000) {
      let word = random.next()
      let field = UInt32(word % 40) + 100
      words.append(field << 23 | UInt32(truncatingIfNeeded: word >> 20) & 0x807F_FFFF)
    }
    return words.map(Float.init(bitPattern:))
  }

  @Test func `narrowing in bulk equals the scalar definitions`() {
    let values = inputs()
    let count = values.count
    var wide = [UInt16](repeating: 0, count: count)
    var narrow = [UInt8](repeating: 0, count: count)
    func differ(_ got: [some BinaryInteger], _ scalar: (Float) -> Int) -> [String] {
      values.indices.filter { Int(got[$0]) != scalar(values[$0]) }
        .prefix(10).map { "\(hex(values[$0].bitPattern)): \(hex(got[$0]))" }
    }
    Bulk.floatToBF16(values, &wide, count: count)
    #expect(differ(wide) { Int(BF16($0).bits) } == [])
    Bulk.floatToF16(values, &wide, count: count)
    #expect(differ(wide) { Int(FP16($0).bits) } == [])
    for saturating in [false, true] {
      Bulk.floatToE4M3FN(values, &narrow, count: count, saturating: saturating)
      #expect(differ(narrow) { Int(E4M3FN($0, saturating: saturating).bits) } == [])
      Bulk.floatToE5M2(values, &narrow, count: count, saturating: saturating)
      #expect(differ(narrow) { Int(E5M2($0, saturating: saturating).bits) } == [])
    }
  }

  @Test func `widening in bulk equals the scalar definitions for every word`() {
    let words = Array(UInt16.min...UInt16.max)
    var wide = [Float](repeating: 0, count: words.count)
    Bulk.bf16ToFloat(words, &wide, count: words.count)
    #expect(words.filter { wide[Int($0)].bitPattern != BF16(bits: $0).float.bitPattern } == [])
    Bulk.f16ToFloat(words, &wide, count: words.count)
    #expect(words.filter { wide[Int($0)].bitPattern != FP16(bits: $0).float.bitPattern } == [])
    let bytes = Array(UInt8.min...UInt8.max)
    Bulk.e4m3fnToFloat(bytes, &wide, count: bytes.count)
    #expect(bytes.filter { wide[Int($0)].bitPattern != E4M3FN(bits: $0).float.bitPattern } == [])
    Bulk.e5m2ToFloat(bytes, &wide, count: bytes.count)
    #expect(bytes.filter { wide[Int($0)].bitPattern != E5M2(bits: $0).float.bitPattern } == [])
  }

  @Test func `MXINT8 in bulk equals the scalar blocks along rows and down columns`() {
    let seed: UInt64 = 37
    var random = NumericsRandom(seed: seed)
    for trial in 0..<seededCount(1500) {
      let rows = Int.random(in: 1...70, using: &random)
      let cols = Int.random(in: 1...70, using: &random)
      let extra = Int.random(in: 0...3, using: &random)
      let stride = cols + extra
      let values = (0..<rows).flatMap { _ in random.block(stride, specials: trial % 5 == 0) }
      let label = "seed \(seed), trial \(trial), \(rows) × \(cols)"

      let rowBlocks = MXINT8.blocks(cols)
      var payload = [Int8](repeating: 99, count: rows * rowBlocks * 32)
      var scales = [UInt8](repeating: 99, count: rows * rowBlocks)
      Bulk.encodeMXRows(
        values, sourceStride: stride, rows: rows, cols: cols, payload: &payload,
        payloadStride: rowBlocks * 32, scales: &scales, scaleStride: rowBlocks)
      var decoded = [Float](repeating: 0, count: rows * cols)
      Bulk.decodeMXRows(
        payload, payloadStride: rowBlocks * 32, scales: scales, scaleStride: rowBlocks,
        rows: rows, cols: cols, destination: &decoded, destinationStride: cols)
      for row in 0..<rows {
        for block in 0..<rowBlocks {
          let line = (block * 32..<min(block * 32 + 32, cols)).map { values[row * stride + $0] }
          let expected = MXINT8.encodeBlock(line)
          let padded = expected.payload + [Int8](repeating: 0, count: 32 - line.count)
          let from = (row * rowBlocks + block) * 32
          #expect(scales[row * rowBlocks + block] == expected.scale.bits, "\(label)")
          #expect(Array(payload[from..<from + 32]) == padded, "\(label)")
          for index in line.indices {
            let exact = MXINT8.decode(expected.payload[index], scale: expected.scale)
            #expect(
              decoded[row * cols + block * 32 + index].bitPattern == exact.bitPattern, "\(label)")
          }
        }
      }

      let colBlocks = MXINT8.blocks(rows)
      payload = [Int8](repeating: 99, count: colBlocks * 32 * cols)
      scales = [UInt8](repeating: 99, count: colBlocks * cols)
      Bulk.encodeMXColumns(
        values, sourceStride: stride, rows: rows, cols: cols, payload: &payload,
        payloadStride: cols, scales: &scales, scaleStride: cols)
      Bulk.decodeMXColumns(
        payload, payloadStride: cols, scales: scales, scaleStride: cols, rows: rows, cols: cols,
        destination: &decoded, destinationStride: cols)
      for col in 0..<cols {
        for block in 0..<colBlocks {
          let line = (block * 32..<min(block * 32 + 32, rows)).map { values[$0 * stride + col] }
          let expected = MXINT8.encodeBlock(line)
          let padded = expected.payload + [Int8](repeating: 0, count: 32 - line.count)
          let got = (0..<32).map { payload[(block * 32 + $0) * cols + col] }
          #expect(scales[block * cols + col] == expected.scale.bits, "\(label)")
          #expect(got == padded, "\(label)")
          for index in line.indices {
            let exact = MXINT8.decode(expected.payload[index], scale: expected.scale)
            let there = decoded[(block * 32 + index) * cols + col]
            #expect(there.bitPattern == exact.bitPattern, "\(label)")
          }
        }
      }
    }
  }

  @Test func `MXINT8 decoding in bulk is exact for every payload and scale`() {
    let payload = (0..<256).map { Int8(truncatingIfNeeded: $0) }
    for scale in UInt8.min...UInt8.max {
      var decoded = [Float](repeating: 0, count: 256)
      Bulk.decodeMXRows(
        payload, payloadStride: 256, scales: [UInt8](repeating: scale, count: 8), scaleStride: 8,
        rows: 1, cols: 256, destination: &decoded, destinationStride: 256)
      let expected = payload.map { MXINT8.decode($0, scale: E8M0(bits: scale)).bitPattern }
      #expect(decoded.map(\.bitPattern) == expected)
    }
  }

  @Test(arguments: SpecialFunction.allCases)
  func `special functions in bulk and by table equal the scalar ones`(
    function: SpecialFunction
  ) {
    let seed: UInt64 = 47
    var random = NumericsRandom(seed: seed)
    var values = specialWords.map(Float.init(bitPattern:))
    for _ in 0..<seededCount(50_000) {
      values.append(random.anyFloat())
      values.append(Float.random(in: -100...100, using: &random))
    }
    for mode in SFUMode.allCases {
      var wide = [Float](repeating: 0, count: values.count)
      var narrow = [UInt16](repeating: 0, count: values.count)
      Bulk.special(function, mode: mode, values, &wide, count: values.count)
      Bulk.specialToBF16(function, mode: mode, values, &narrow, count: values.count)
      for index in values.indices {
        let x = values[index]
        let label = "\(function) of \(hex(x.bitPattern)), seed \(seed)"
        #expect(wide[index].bitPattern == function.fp32(x, mode: mode).bitPattern, "\(label)")
        #expect(narrow[index] == function.fp32ToBF16(x, mode: mode).bits, "\(label)")
      }
      let table = BF16FunctionTable(function, mode: mode)
      let words = Array(UInt16.min...UInt16.max)
      var results = [UInt16](repeating: 0, count: words.count)
      table.apply(words, &results, count: words.count)
      #expect(results == table.words)
      #expect(table.words[0x3F80] == function.bf16(BF16(1), mode: mode).bits)
      var floats = words.map { BF16(bits: $0).float }
      floats.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        table.apply(UnsafePointer(base), base, count: buffer.count)
      }
      #expect(floats.map { UInt16($0.bitPattern >> 16) } == table.words)
    }
  }

  @Test func `nothing is touched for a count of zero or less`() {
    var floats: [Float] = [7]
    var bytes: [UInt8] = [7]
    Bulk.add(&floats, [1], [2], count: 0)
    Bulk.e5m2ToFloat([0x3C], &floats, count: -1)
    Bulk.floatToE5M2([1], &bytes, count: 0, saturating: false)
    #expect(floats == [7] && bytes == [7])
  }
}
