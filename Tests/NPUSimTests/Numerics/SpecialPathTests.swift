import NPUSim
import Testing

/// The special functions over arrays, on every path of this processor, against the definition element
/// by element.
@Suite struct SpecialPathTests {
  /// The words where the loops change their way, and a few more: limits of results, of the ranges
  /// that they evaluate, and of argument reduction.
  private static let limits: [Float] = [
    0x1p-149, 0x1p-126, 0x1p-124, 0x1p-100, 0x1p-40, 0x1p-24, 0x1p-12, 0.5, 0.703125, 1, 1.40625,
    2, 17.328_68, 50, 87, 87.336_54, 88.722_84, 92.19, 103.278_93, 103.972_08, 126, 127, 128, 149,
    150, 151, 200, 0x1p17, 0x1p18, 0x1p20, 0x1p127, .greatestFiniteMagnitude,
  ]

  /// Special words, the neighbours of the limits, ties of BF16, multiples of π/16, random words of any
  /// kind and around 1.
  private func arguments(_ count: Int, seed: UInt64) -> [Float] {
    var random = NumericsRandom(seed: seed)
    var words = specialWords
    for limit in Self.limits {
      for offset in 0..<40 { words.append(limit.bitPattern &+ UInt32(offset) &- 20) }
    }
    words += words.map { $0 ^ 0x8000_0000 }
    for multiple in 0..<1000 { words.append((Float(multiple) * 0.196_349_54).bitPattern) }
    for half in UInt32(0)..<0x1_0000 where half % 16 == UInt32(seed % 16) {
      words.append(half << 16 | 0x8000)
    }
    for _ in 0..<count {
      let word = UInt32(truncatingIfNeeded: random.next())
      words.append(word)
      // From 2^-20 to 2^20.
      words.append(word & 0x807F_FFFF | (107 + (word >> 8) % 40) << 23)
    }
    return words.map(Float.init(bitPattern:))
  }

  /// What is wrong in `results`, for a message.
  private func differences<Word: BinaryInteger>(
    _ results: [Word], _ expected: [Word], _ arguments: [Float]
  ) -> [String] {
    results.indices.filter { results[$0] != expected[$0] }.prefix(5).map {
      "\(hex(arguments[$0].bitPattern)): \(hex(results[$0])), not \(hex(expected[$0]))"
    }
  }

  private func fp32(
    _ function: SpecialFunction, _ arguments: [Float], _ path: DatapathPath
  ) -> [UInt32] {
    var results = [Float](repeating: 0, count: arguments.count)
    Bulk.special(
      function, mode: .correctlyRounded, arguments, &results, count: arguments.count, path: path)
    return results.map(\.bitPattern)
  }

  private func bf16(
    _ function: SpecialFunction, _ arguments: [Float], _ path: DatapathPath
  ) -> [UInt16] {
    var results = [UInt16](repeating: 0, count: arguments.count)
    Bulk.specialToBF16(
      function, mode: .correctlyRounded, arguments, &results, count: arguments.count, path: path)
    return results
  }

  @Test(arguments: SpecialFunction.allCases)
  func `every path rounds the exact value once`(function: SpecialFunction) {
    let seed: UInt64 = 1009
    let arguments = arguments(seededCount(1_000_000), seed: seed)
    let wide = arguments.map { function.fp32($0, mode: .correctlyRounded).bitPattern }
    let narrow = arguments.map { function.fp32ToBF16($0, mode: .correctlyRounded).bits }
    for path in DatapathPath.available {
      let label = "\(function), \(path), seed \(seed)"
      #expect(differences(fp32(function, arguments, path), wide, arguments) == [], "\(label)")
      #expect(differences(bf16(function, arguments, path), narrow, arguments) == [], "\(label)")
    }
  }

  @Test(arguments: SpecialFunction.allCases)
  func `the arguments that are hardest to round are right on every path`(
    function: SpecialFunction
  ) throws {
    let words = try NumericsGolden("fp32_\(function)").uint32
    let count = words.count / 3
    let arguments = words.prefix(count).map(Float.init(bitPattern:))
    let wide = Array(words[count..<2 * count])
    let narrow = words.suffix(count).map { UInt16($0) }
    for path in DatapathPath.available {
      #expect(differences(fp32(function, arguments, path), wide, arguments) == [], "\(path)")
      #expect(differences(bf16(function, arguments, path), narrow, arguments) == [], "\(path)")
    }
  }

  @Test(arguments: SpecialFunction.allCases)
  func `any length, any start and a result in place of its argument are right`(
    function: SpecialFunction
  ) {
    let seed: UInt64 = 1013
    let arguments = arguments(2000, seed: seed)
    let wide = fp32(function, arguments, .scalar)
    let narrow = bf16(function, arguments, .scalar)
    for path in DatapathPath.available {
      for (length, start) in (0...70).map({ ($0, 37 * $0) }) + [(1025, 3), (3000, 11)] {
        var floats = arguments
        var words = [UInt16](repeating: 0xABCD, count: length + 2)
        floats.withUnsafeMutableBufferPointer { buffer in
          guard let base = buffer.baseAddress else { return }
          Bulk.specialToBF16(
            function, mode: .correctlyRounded, base + start, &words, count: length, path: path)
          Bulk.special(
            function, mode: .correctlyRounded, UnsafePointer(base + start), base + start,
            count: length, path: path)
        }
        let range = start..<start + length
        let label = "\(function), \(path), \(length) from \(start)"
        #expect(floats[range].map(\.bitPattern) == Array(wide[range]), "\(label)")
        #expect(words == Array(narrow[range]) + [0xABCD, 0xABCD], "\(label)")
        let rest = floats.indices.filter { !range.contains($0) }
        #expect(
          rest.allSatisfy { floats[$0].bitPattern == arguments[$0].bitPattern }, "\(label)")
      }
    }
  }

  @Test(arguments: [SpecialFunction.sin, .cos])
  func `angles of rotary embeddings are right on every path`(function: SpecialFunction) {
    let angles = (0..<seededCount(100_000)).map { index in
      let position = Float(index * 7919 % 131_073)
      let frequency = SpecialFunction.exp2.fp32(
        -Float(index % 64) * 0.2076, mode: .correctlyRounded)
      return position * frequency
    }
    let expected = angles.map { function.fp32($0, mode: .correctlyRounded).bitPattern }
    for path in DatapathPath.available {
      #expect(differences(fp32(function, angles, path), expected, angles) == [], "\(path)")
    }
  }

  @Test(arguments: SpecialFunction.allCases)
  func `a table has the definition's word for every BF16 word`(function: SpecialFunction) {
    for mode in SFUMode.allCases {
      let expected = (UInt16.min...UInt16.max).map {
        function.bf16(BF16(bits: $0), mode: mode).bits
      }
      #expect(BF16FunctionTable(function, mode: mode).words == expected)
    }
  }

  @Test(arguments: SpecialFunction.allCases)
  func `BF16 words to BF16 words are right for every word, length and path`(
    function: SpecialFunction
  ) {
    let words = Array(UInt16.min...UInt16.max)
    for mode in SFUMode.allCases {
      let expected = BF16FunctionTable(function, mode: mode).words
      for path in DatapathPath.available {
        for (start, length) in [(0, 0x1_0000), (0x3F01, 1), (0x3F11, 31), (0xBE03, 33), (7, 1000)] {
          var results = words
          results.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            Bulk.special(
              function, mode: mode, bf16: UnsafePointer(base + start), base + start,
              count: length, path: path)
          }
          let range = start..<start + length
          let wrong = words.indices.filter {
            results[$0] != (range.contains($0) ? expected[$0] : words[$0])
          }
          #expect(wrong.prefix(5).map { hex($0) } == [], "\(function), \(mode), \(path), \(range)")
        }
      }
    }
  }
}
