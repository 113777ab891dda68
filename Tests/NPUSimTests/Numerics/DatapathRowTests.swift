import NPUSim
import Testing

/// Loops over rows of BF16 words and bytes: every path of this processor against the definition,
/// ``DatapathPath/scalar``.
@Suite struct DatapathRowTests {
  private static let others = DatapathPath.available.filter { $0 != .scalar }

  /// Words of one magnitude, or of all, with zeros and now and then special ones.
  private func words(_ random: inout NumericsRandom, _ count: Int, _ trial: Int) -> [UInt16] {
    let centre = Int.random(in: 0...255, using: &random)
    let spread = [4, 12, 255][trial % 3]
    return (0..<count).map { _ in
      let word = random.next()
      if word >> 32 & 31 == 0 { return UInt16(word & 0x8000) }
      let most = trial % 4 == 0 ? 255 : 254
      let field = min(max(centre + Int.random(in: -spread...spread, using: &random), 0), most)
      return UInt16(word & 0x807F) | UInt16(field) << 7
    }
  }

  @Test func `rows in FP8 blocks get the same codes and scales on every path`() {
    let seed: UInt64 = 89
    var random = NumericsRandom(seed: seed)
    for trial in 0..<seededCount(6000) {
      let count =
        trial % 3 == 0
        ? Int.random(in: 1...700, using: &random)
        : 128 * Int.random(in: 1...(trial % 7 == 0 ? 20 : 3), using: &random)
      let row = words(&random, count, trial)
      for format in FP8Block.Format.allCases {
        for rule in [FP8Block.ScaleRule.fp32, .e8m0(roundsUp: true), .e8m0(roundsUp: false)] {
          func encode(_ path: DatapathPath) -> ([UInt8], [UInt32]) {
            var codes = [UInt8](repeating: 0xAB, count: count + 2)
            var scales = [UInt32](repeating: 7, count: FP8Block.blocks(count) + 1)
            FP8Block.encodeRow(
              bf16: row, count: count, format: format, rule: rule, codes: &codes, scales: &scales,
              path: path)
            return (codes, scales)
          }
          let expected = encode(.scalar)
          for path in Self.others {
            let label = "seed \(seed), trial \(trial), \(count), \(format), \(rule), \(path)"
            #expect(encode(path) == expected, "\(label)")
          }
          #expect(expected.0.suffix(2) == [0xAB, 0xAB])
          #expect(expected.1.last == 7)
        }
      }
    }
  }

  @Test func `every quotient by a scale of a block gets the right code on every path`() {
    for index in 0..<seededCount(128) {
      // Scales come from BF16 words too: 128 fractions are all there are.
      let largest = 0x3F80 | UInt16(index * 37 % 128)
      var row: [UInt16] = []
      for distance in 0..<UInt16(36 * 128) {
        if row.count % FP8Block.blockSize == 0 { row.append(largest) }
        row.append((largest - distance) | (distance & 1) << 15)
      }
      for format in FP8Block.Format.allCases {
        for rule in [FP8Block.ScaleRule.fp32, .e8m0(roundsUp: true), .e8m0(roundsUp: false)] {
          func encode(_ path: DatapathPath) -> [UInt8] {
            var codes = [UInt8](repeating: 0, count: row.count)
            var scales = [UInt32](repeating: 0, count: FP8Block.blocks(row.count))
            FP8Block.encodeRow(
              bf16: row, count: row.count, format: format, rule: rule, codes: &codes,
              scales: &scales, path: path)
            return codes
          }
          let expected = encode(.scalar)
          for path in Self.others {
            let got = encode(path)
            let wrong = got.indices.first { got[$0] != expected[$0] }
            #expect(wrong == nil, "\(hex(largest)), \(format), \(rule), \(path)")
          }
        }
      }
    }
  }

  @Test func `a row in FP8 blocks is its blocks one by one`() {
    var random = NumericsRandom(seed: 97)
    let row = words(&random, 300, 1)
    let values = row.map { BF16(bits: $0).float }
    for format in FP8Block.Format.allCases {
      var codes = [UInt8](repeating: 0, count: 300)
      var scales = [UInt32](repeating: 0, count: 3)
      FP8Block.encodeRow(
        bf16: row, count: 300, format: format, rule: .fp32, codes: &codes, scales: &scales)
      for block in 0..<3 {
        let range = block * 128..<min(300, block * 128 + 128)
        let expected = FP8Block.encode(Array(values[range]), format: format)
        #expect(Array(codes[range]) == expected.codes)
        #expect(scales[block] == expected.scale.bitPattern)
      }
    }
  }

  @Test func `arithmetic on BF16 words rounds in FP32 and then again, on every path and in place`()
  {
    let seed: UInt64 = 101
    var random = NumericsRandom(seed: seed)
    for trial in 0..<seededCount(2000) {
      let count = Int.random(in: 0...150, using: &random)
      let a = words(&random, count, trial)
      let b = words(&random, count, trial + 1)
      for operation in Bulk.Binary.allCases {
        let expected = a.indices.map { index in
          BF16(operation(BF16(bits: a[index]).float, BF16(bits: b[index]).float)).bits
        }
        for path in DatapathPath.available {
          var result = [UInt16](repeating: 0xABCD, count: count + 1)
          Bulk.combine(operation, bf16: &result, a, b, count: count, path: path)
          var inPlace = a
          inPlace.withUnsafeMutableBufferPointer {
            if let base = $0.baseAddress {
              Bulk.combine(operation, bf16: base, UnsafePointer(base), b, count: count, path: path)
            }
          }
          let label = "seed \(seed), trial \(trial), \(operation), \(path)"
          #expect(result == expected + [0xABCD], "\(label)")
          #expect(inPlace == expected, "\(label), in place")
        }
      }
    }
  }

  @Test func `rows are copied whole, and what lies between them stays`() {
    let source = (0..<9000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    for (bytes, rows) in [(64, 5), (512, 4), (576, 3), (1, 7), (63, 3), (65, 3), (0, 4), (128, 0)] {
      for (to, from) in [(bytes, bytes), (bytes + 64, bytes + 128), (bytes + 3, bytes)] {
        for path in DatapathPath.available {
          var result = [UInt8](repeating: 0xAB, count: 5000)
          Bulk.copyRows(
            &result, pitch: to, from: source, pitch: from, bytes: bytes, rows: rows, path: path)
          var expected = [UInt8](repeating: 0xAB, count: 5000)
          for row in 0..<rows {
            for index in 0..<bytes { expected[row * to + index] = source[row * from + index] }
          }
          #expect(result == expected, "\(bytes) × \(rows), \(to), \(from), \(path)")
        }
      }
    }
  }
}
