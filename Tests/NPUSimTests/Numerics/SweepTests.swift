import NPUSim
import Testing

/// Every FP32 word there is; minutes of work, so only with NPUSIM_SWEEP=1 (use a release build).
@Suite(.enabled(if: sweepsRequested), .serialized)
struct SweepTests {
  private static let chunk = 1 << 16

  /// Calls `body` with all words whose upper half lies in `upper`, in ascending chunks.
  private func sweep(_ upper: Range<UInt32> = 0..<0x10000, _ body: ([Float]) -> Void) {
    var values = [Float](repeating: 0, count: Self.chunk)
    for high in upper {
      for low in 0..<Self.chunk {
        values[low] = Float(bitPattern: high << 16 | UInt32(low))
      }
      body(values)
    }
  }

  @Test func `BF16 in bulk equals the scalar conversion for all words`() {
    var wrong = 0
    var words = [UInt16](repeating: 0, count: Self.chunk)
    sweep { values in
      Bulk.floatToBF16(values, &words, count: Self.chunk)
      for index in 0..<Self.chunk where words[index] != BF16(values[index]).bits { wrong += 1 }
    }
    #expect(wrong == 0)
  }

  @Test func `FP16 in bulk equals the scalar conversion for all words`() {
    var wrong = 0
    var words = [UInt16](repeating: 0, count: Self.chunk)
    sweep { values in
      Bulk.floatToF16(values, &words, count: Self.chunk)
      for index in 0..<Self.chunk where words[index] != FP16(values[index]).bits { wrong += 1 }
    }
    #expect(wrong == 0)
  }

  @Test(arguments: [false, true])
  func `the 8-bit formats in bulk equal the scalar conversions for all words`(saturating: Bool) {
    var wrong = 0
    var words = [UInt8](repeating: 0, count: Self.chunk)
    sweep { values in
      Bulk.floatToE4M3FN(values, &words, count: Self.chunk, saturating: saturating)
      for index in 0..<Self.chunk
      where words[index] != E4M3FN(values[index], saturating: saturating).bits { wrong += 1 }
      Bulk.floatToE5M2(values, &words, count: Self.chunk, saturating: saturating)
      for index in 0..<Self.chunk
      where words[index] != E5M2(values[index], saturating: saturating).bits { wrong += 1 }
    }
    #expect(wrong == 0)
  }

  @Test(arguments: [SpecialFunction.exp, .exp2, .rsqrt, .sigmoid, .silu, .log])
  func `special functions in bulk equal the scalar ones for all words`(function: SpecialFunction) {
    let paths = DatapathPath.available.filter { $0 != .scalar }
    var wrong: [DatapathPath: [UInt32]] = [:]
    var wide = [Float](repeating: 0, count: Self.chunk)
    var narrow = [UInt16](repeating: 0, count: Self.chunk)
    sweep { values in
      let floats = values.map { function.fp32($0, mode: .correctlyRounded).bitPattern }
      // Rounding to FP32 never crosses a boundary between BF16 values, so it can be rounded again
      // where it does not land on one.
      let words = values.indices.map { index in
        floats[index] & 0xFFFF == 0x8000
          ? function.fp32ToBF16(values[index], mode: .correctlyRounded).bits
          : BF16(Float(bitPattern: floats[index])).bits
      }
      for path in paths {
        Bulk.special(
          function, mode: .correctlyRounded, values, &wide, count: Self.chunk, path: path)
        Bulk.specialToBF16(
          function, mode: .correctlyRounded, values, &narrow, count: Self.chunk, path: path)
        for index in 0..<Self.chunk
        where wide[index].bitPattern != floats[index] || narrow[index] != words[index] {
          wrong[path, default: []].append(values[index].bitPattern)
        }
      }
    }
    for (path, words) in wrong {
      Issue.record("\(function), \(path): \(words.count), first \(words.prefix(8).map { hex($0) })")
    }
  }

  /// The inputs that need a look, as upper halves of words.
  ///
  /// Below 2^-40 exp, exp2, cos and sigmoid are nearer than 2^-40 to 1 or ½, far from any
  /// boundary; sin and silu are rounded from an exact stand-in. From 2^8 on exp, exp2, sigmoid and
  /// silu are listed or stand-ins too. sin and cos are odd and even, log and rsqrt want x > 0, and
  /// 1/x and 1/√x repeat their significands every one and two binades.
  private func domain(_ function: SpecialFunction) -> [Range<UInt32>] {
    let small: UInt32 = (127 - 40) << 7
    switch function {
    case .exp, .exp2, .sigmoid, .silu:
      let large: UInt32 = (127 + 8) << 7
      return [small..<large, small | 0x8000..<large | 0x8000]
    case .sin, .cos: return [small..<0x7F80]
    case .log: return [0..<0x7F80]
    case .rsqrt, .reciprocal: return [0..<0x180, 0x3F80..<0x4080, 0x7E00..<0x7F80]
    }
  }

  @Test(arguments: SpecialFunction.allCases)
  func `double-double decides every rounding that Double leaves open`(function: SpecialFunction) {
    var undecided: [UInt32] = []
    var refined = (0, 0)
    var total = 0
    for range in domain(function) {
      sweep(range) { values in
        total += values.count
        for x in values {
          let wide = function.fp32Decision(x)
          let narrow = function.bf16Decision(x)
          if wide == .doubleDouble { refined.0 += 1 }
          if narrow == .doubleDouble { refined.1 += 1 }
          if wide == .undecided || narrow == .undecided { undecided.append(x.bitPattern) }
        }
      }
    }
    #expect(undecided.count == 0, "\(function): \(undecided.prefix(8).map { hex($0) })")
    // Double leaves about one rounding in 2^21 open.
    #expect(refined.0 < total >> 16 && refined.1 < total >> 16, "\(function): \(refined)")
  }
}
