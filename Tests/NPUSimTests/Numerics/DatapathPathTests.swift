import NPUSim
import Testing

/// Every path of this processor against the definition, ``DatapathPath/scalar``, over arrays.
@Suite struct DatapathPathTests {
  private static let others = DatapathPath.available.filter { $0 != .scalar }

  /// Special words, boundaries between BF16 values, and random words.
  private func values(_ count: Int, seed: UInt64) -> [Float] {
    var random = NumericsRandom(seed: seed)
    var values = specialWords.map(Float.init(bitPattern:))
    while values.count < count {
      values.append(random.anyFloat())
      values += random.block(8, specials: true)
    }
    return values.shuffled(using: &random)
  }

  /// Runs `body` on slices of every small length and one long one, on each path, and compares what it
  /// wrote; two elements past the end must stay.
  private func compare<Source, Word: Equatable & Sendable>(
    _ name: String, _ source: [Source], filler: Word,
    _ body: (UnsafePointer<Source>, UnsafeMutablePointer<Word>, Int, DatapathPath) -> Void
  ) {
    source.withUnsafeBufferPointer { source in
      guard let base = source.baseAddress else { return }
      for count in Array(0...70) + [source.count - 71] {
        func run(_ path: DatapathPath) -> [Word] {
          var result = [Word](repeating: filler, count: count + 2)
          result.withUnsafeMutableBufferPointer { result in
            if let to = result.baseAddress { body(base + count % 71, to, count, path) }
          }
          return result
        }
        let expected = run(.scalar)
        for path in Self.others {
          let got = run(path)
          let wrong = got.indices.first { got[$0] != expected[$0] }
          #expect(wrong == nil, "\(name), \(path), count \(count), element \(wrong ?? 0)")
        }
        #expect(expected.suffix(2) == [filler, filler])
      }
    }
  }

  @Test func `conversions give the same words on every path`() {
    let floats = values(20_000, seed: 71)
    compare("bf16", floats, filler: UInt16(0xABCD)) {
      Bulk.floatToBF16($0, $1, count: $2, path: $3)
    }
    compare("f16", floats, filler: UInt16(0xABCD)) { Bulk.floatToF16($0, $1, count: $2, path: $3) }
    for saturating in [false, true] {
      compare("e4m3fn", floats, filler: UInt8(0xAB)) {
        Bulk.floatToE4M3FN($0, $1, count: $2, saturating: saturating, path: $3)
      }
      compare("e5m2", floats, filler: UInt8(0xAB)) {
        Bulk.floatToE5M2($0, $1, count: $2, saturating: saturating, path: $3)
      }
    }
    let words = Array(UInt16.min...UInt16.max)
    compare("from bf16", words, filler: UInt32(7)) { source, to, count, path in
      to.withMemoryRebound(to: Float.self, capacity: count) {
        Bulk.bf16ToFloat(source, $0, count: count, path: path)
      }
    }
    compare("from f16", words, filler: UInt32(7)) { source, to, count, path in
      to.withMemoryRebound(to: Float.self, capacity: count) {
        Bulk.f16ToFloat(source, $0, count: count, path: path)
      }
    }
    let bytes = Array(UInt8.min...UInt8.max) + Array(UInt8.min...UInt8.max)
    compare("from e4m3fn", bytes, filler: UInt32(7)) { source, to, count, path in
      to.withMemoryRebound(to: Float.self, capacity: count) {
        Bulk.e4m3fnToFloat(source, $0, count: count, path: path)
      }
    }
    compare("from e5m2", bytes, filler: UInt32(7)) { source, to, count, path in
      to.withMemoryRebound(to: Float.self, capacity: count) {
        Bulk.e5m2ToFloat(source, $0, count: count, path: path)
      }
    }
    for format in FP8Block.Format.allCases {
      compare("\(format) to bf16", bytes, filler: UInt16(7)) {
        Bulk.fp8ToBF16($0, $1, count: $2, format: format, path: $3)
      }
    }
  }

  @Test func `the exponential of every BF16 word is the correctly rounded one on every path`() {
    let words = Array(UInt16.min...UInt16.max)
    compare("exp", words, filler: UInt16(7)) { Bulk.expBF16($0, $1, count: $2, path: $3) }
    let expected = words.map {
      SpecialFunction.exp.bf16(BF16(bits: $0), mode: .correctlyRounded).bits
    }
    for path in DatapathPath.available {
      // In place, which is allowed.
      var results = words
      results.withUnsafeMutableBufferPointer {
        guard let base = $0.baseAddress else { return }
        Bulk.expBF16(UnsafePointer(base), base, count: $0.count, path: path)
      }
      #expect(words.filter { results[Int($0)] != expected[Int($0)] } == [], "\(path)")
    }
  }

  @Test func `arithmetic gives the same words on every path, in place too`() {
    typealias Binary = (
      UnsafeMutablePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, Int, DatapathPath
    ) -> Void
    typealias Scalar = (
      UnsafeMutablePointer<Float>, UnsafePointer<Float>, Float, Int, DatapathPath
    ) -> Void
    let a = values(6000, seed: 73)
    let b = values(6000, seed: 79)
    let binary: [Binary] = [
      { Bulk.add($0, $1, $2, count: $3, path: $4) }, { Bulk.sub($0, $1, $2, count: $3, path: $4) },
      { Bulk.mul($0, $1, $2, count: $3, path: $4) }, { Bulk.div($0, $1, $2, count: $3, path: $4) },
      { Bulk.max($0, $1, $2, count: $3, path: $4) },
    ]
    let scalar: [Scalar] = [
      { Bulk.add($0, $1, scalar: $2, count: $3, path: $4) },
      { Bulk.sub($0, $1, scalar: $2, count: $3, path: $4) },
      { Bulk.mul($0, $1, scalar: $2, count: $3, path: $4) },
      { Bulk.div($0, $1, scalar: $2, count: $3, path: $4) },
      { Bulk.max($0, $1, scalar: $2, count: $3, path: $4) },
    ]
    for (index, operation) in binary.enumerated() {
      var results: [DatapathPath: [UInt32]] = [:]
      for path in DatapathPath.available {
        var apart = [Float](repeating: 0, count: 5999)
        operation(&apart, a, b, 5999, path)
        var inPlace = a
        inPlace.withUnsafeMutableBufferPointer {
          if let base = $0.baseAddress { operation(base, UnsafePointer(base), b, 5999, path) }
        }
        results[path] = apart.map(\.bitPattern)
        #expect(Array(inPlace.prefix(5999)).map(\.bitPattern) == results[path], "\(index), \(path)")
      }
      for path in Self.others { #expect(results[path] == results[.scalar], "\(index), \(path)") }
    }
    for (index, operation) in scalar.enumerated() {
      for factor in [Float(3), -0.0, .infinity, .nan, 0x1p-130, 448] {
        var results: [DatapathPath: [UInt32]] = [:]
        for path in DatapathPath.available {
          var inPlace = a
          inPlace.withUnsafeMutableBufferPointer {
            if let base = $0.baseAddress {
              operation(base, UnsafePointer(base), factor, 5999, path)
            }
          }
          results[path] = inPlace.map(\.bitPattern)
        }
        for path in Self.others {
          #expect(results[path] == results[.scalar], "\(index), \(factor), \(path)")
        }
      }
    }
  }

  @Test func `blocks are encoded and decoded alike on every path`() {
    let seed: UInt64 = 83
    var random = NumericsRandom(seed: seed)
    for trial in 0..<seededCount(400) {
      let rows = Int.random(in: 1...40, using: &random)
      let cols = Int.random(in: 1...(trial % 9 == 0 ? 300 : 70), using: &random)
      let source = (0..<rows).flatMap { _ in random.block(cols, specials: trial % 5 == 0) }
      let words = source.map { BF16($0).bits }
      let widths = (MXINT8.blocks(cols), MXINT8.blocks(rows))
      func run(_ path: DatapathPath) -> [[UInt8]] {
        var payload = [Int8](repeating: 99, count: rows * widths.0 * 32)
        var scales = [UInt8](repeating: 99, count: rows * widths.0)
        Bulk.encodeMXRows(
          source, sourceStride: cols, rows: rows, cols: cols, payload: &payload,
          payloadStride: widths.0 * 32, scales: &scales, scaleStride: widths.0, path: path)
        var decoded = [Float](repeating: 0, count: rows * cols)
        Bulk.decodeMXRows(
          payload, payloadStride: widths.0 * 32, scales: scales, scaleStride: widths.0,
          rows: rows, cols: cols, destination: &decoded, destinationStride: cols, path: path)
        var row = [Int8](repeating: 99, count: widths.0 * 32)
        var rowScales = [UInt8](repeating: 99, count: widths.0)
        Bulk.encodeMXRow(bf16: words, count: cols, payload: &row, scales: &rowScales, path: path)
        var down = [Int8](repeating: 99, count: widths.1 * 32 * cols)
        var downScales = [UInt8](repeating: 99, count: widths.1 * cols)
        Bulk.encodeMXColumns(
          source, sourceStride: cols, rows: rows, cols: cols, payload: &down, payloadStride: cols,
          scales: &downScales, scaleStride: cols, path: path)
        var undone = [Float](repeating: 0, count: rows * cols)
        Bulk.decodeMXColumns(
          down, payloadStride: cols, scales: downScales, scaleStride: cols, rows: rows, cols: cols,
          destination: &undone, destinationStride: cols, path: path)
        func bytes(_ floats: [Float]) -> [UInt8] {
          floats.flatMap { value in (0..<4).map { UInt8(value.bitPattern >> (8 * $0) & 0xFF) } }
        }
        return [
          payload.map(UInt8.init(bitPattern:)), scales, bytes(decoded),
          row.map(UInt8.init(bitPattern:)), rowScales, down.map(UInt8.init(bitPattern:)),
          downScales, bytes(undone),
        ]
      }
      let expected = run(.scalar)
      for path in Self.others {
        let got = run(path)
        let wrong = got.indices.filter { got[$0] != expected[$0] }
        #expect(wrong == [], "seed \(seed), trial \(trial), \(rows) × \(cols), \(path)")
      }
      for format in FP8Block.Format.allCases {
        for rule in [FP8Block.ScaleRule.fp32, .e8m0(roundsUp: true), .e8m0(roundsUp: false)] {
          let count = min(source.count, 128)
          func encode(_ path: DatapathPath) -> (UInt32, [UInt8]) {
            var codes = [UInt8](repeating: 99, count: count)
            let word = FP8Block.encode(
              source, count: count, format: format, rule: rule, codes: &codes, path: path)
            return (word, codes)
          }
          let expected = encode(.scalar)
          for path in Self.others {
            let label = "seed \(seed), trial \(trial), \(format), \(rule), \(path)"
            #expect(encode(path) == expected, "\(label)")
          }
        }
      }
    }
  }

  @Test func `bytes are transposed in any shape on every path`() {
    let bytes = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 * 2_654_435_761 >> 13) }
    for rows in [0, 1, 2, 15, 16, 17, 31, 33, 64, 70] {
      for columns in [0, 1, 3, 15, 16, 18, 32, 47, 65] {
        let (toPitch, fromPitch) = (columns + 5, rows + 3)
        for path in DatapathPath.available {
          var result = [UInt8](repeating: 99, count: (rows + 1) * toPitch)
          Bulk.transpose(
            &result, pitch: toPitch, from: bytes, pitch: fromPitch, rows: rows, columns: columns,
            path: path)
          let expected = result.indices.map { place in
            let (row, column) = (place / toPitch, place % toPitch)
            return row < rows && column < columns ? bytes[column * fromPitch + row] : 99
          }
          #expect(result == expected, "\(rows) × \(columns), \(path)")
        }
      }
    }
  }

  @Test func `specials are found in any place`() {
    for path in DatapathPath.available {
      var words = [UInt16](repeating: 0x7F7F, count: 77)
      var wide = [UInt32](repeating: 0x7F7F_FFFF, count: 77)
      #expect(!Bulk.hasSpecial(words, exponent: 0x7F80, count: 77, path: path))
      #expect(!Bulk.hasSpecial(wide, count: 77, path: path))
      for index in 0..<77 {
        words[index] = 0xFF80
        wide[index] = 0x7F80_0001
        #expect(Bulk.hasSpecial(words, exponent: 0x7F80, count: 77, path: path))
        #expect(Bulk.hasSpecial(wide, count: 77, path: path))
        #expect(!Bulk.hasSpecial(words, exponent: 0x7F80, count: index, path: path))
        words[index] = 0
        wide[index] = 0
      }
    }
  }

  @Test func `a path is chosen by name, and an unknown or absent one is an error`() throws {
    #expect(try DatapathPath.named("") == .fastest)
    for path in DatapathPath.available {
      #expect(try DatapathPath.named(path.rawValue) == path)
    }
    #expect(DatapathPath.available.contains(.active))
    let unknown = #expect(throws: NPUError.self) { try DatapathPath.named("avx9") }
    #expect(unknown?.category == .usage)
    #expect(unknown?.message.hasPrefix("NPUSIM_DATAPATH: found 'avx9', needed one of") == true)
    for path in DatapathPath.allCases where !path.isAvailable {
      let absent = #expect(throws: NPUError.self) { try DatapathPath.named(path.rawValue) }
      let message = "NPUSIM_DATAPATH: this processor does not have \(path.rawValue), only"
      #expect(absent?.message.hasPrefix(message) == true)
    }
  }
}
