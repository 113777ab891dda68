import NPUSim
import Testing

/// Every path of this processor against the definition, ``DatapathPath/scalar``.
@Suite struct BlockProductTests {
  /// Operands with payloads, scales and blocks of zeros chosen to leave the quick ways' ranges.
  private func operands(_ random: inout NumericsRandom, _ trial: Int) -> BlockProductOperands {
    let m = Int.random(in: 1...20, using: &random)
    let n = Int.random(in: 1...(trial % 8 == 0 ? 140 : 70), using: &random)
    let k = Int.random(in: 1...200, using: &random)
    let gap = trial % 4
    let blocks = MXINT8.blocks(k)
    let isExtreme = random.next() % 4 == 0
    func payload(_ count: Int) -> [Int8] {
      (0..<count).map { _ in
        let word = random.next()
        return isExtreme ? (word & 256 == 0 ? -128 : 127) : Int8(truncatingIfNeeded: word)
      }
    }
    let aCentre = Int.random(in: 0...254, using: &random)
    let offset = Int.random(in: -4...4, using: &random)
    // Sums of scales at the ends of the range without subnormal products and large sums, and anywhere.
    let bCentre = [254 - aCentre, 140 - aCentre + offset, 326 - aCentre + offset][trial % 3]
    let spread = trial % 5 == 0 ? Int.random(in: 0...255, using: &random) : 4
    func scales(_ count: Int, _ centre: Int) -> [UInt8] {
      (0..<count).map { _ in
        if trial % 6 == 0 && random.next() % 50 == 0 { return 0xFF }
        return UInt8(min(max(centre + Int.random(in: -spread...spread, using: &random), 0), 254))
      }
    }
    var operands = BlockProductOperands(
      m: m, n: n, k: k, gap: gap, a: payload(m * (k + gap)), aScale: scales(m * blocks, aCentre),
      b: payload(k * (n + gap)), bScale: scales(blocks * n, bCentre))
    guard random.next() % 3 == 0 else { return operands }
    // Blocks of zeros as the encoder makes them, and some with a scale of 1.
    for block in 0..<blocks {
      let depth = block * 32..<min(block * 32 + 32, k)
      for row in 0..<m where random.next() % 3 == 0 {
        for index in depth { operands.a[row * (k + gap) + index] = 0 }
        operands.aScale[row * blocks + block] = UInt8(random.next() % 2)
      }
      for column in 0..<n where random.next() % 3 == 0 {
        for index in depth { operands.b[index * (n + gap) + column] = 0 }
        operands.bScale[block * n + column] = UInt8(random.next() % 2)
      }
    }
    return operands
  }

  /// FP32 words to start from: any at all, or near 1; signed zeros among them.
  private func starts(_ random: inout NumericsRandom, _ count: Int) -> [UInt32] {
    let isWild = random.next() % 2 == 0
    return (0..<count).map { _ in
      let word = random.next()
      if word & 0xF000 == 0 { return word & 1 == 0 ? 0 : 0x8000_0000 }
      if isWild { return UInt32(truncatingIfNeeded: word >> 16) }
      return 0x3F80_0000 &+ UInt32(word & 0x1FF) << 16 | UInt32(word >> 20 & 1) << 31
    }
  }

  @Test func `every path gives the definition's words, and leaves what lies between rows`() {
    let seed: UInt64 = 61
    var random = NumericsRandom(seed: seed)
    for trial in 0..<seededCount(8000) {
      let operands = operands(&random, trial)
      let start = starts(&random, operands.m * (operands.n + operands.gap))
      let fromZero = random.next() % 2 == 0
      let label = "seed \(seed), trial \(trial), \(operands.m) × \(operands.k) × \(operands.n)"
      func compare<Word: FixedWidthInteger>(_ words: [Word], _ mode: AccumulatorMode) {
        let expected = operands.add(
          to: words, mode: mode, startsAtZero: fromZero, path: .scalar
        ).words
        let exponent = Word.self == UInt16.self ? 0x7F80 : 0x7F80_0000
        let stride = operands.n + operands.gap
        let isSpecial = expected.indices.contains {
          $0 % stride < operands.n && Int(expected[$0]) & exponent == exponent
        }
        for path in DatapathPath.available where path != .scalar {
          let got = operands.add(to: words, mode: mode, startsAtZero: fromZero, path: path)
          #expect(got.words == expected, "\(label), \(path), \(mode)")
          #expect(got.isSpecial || !isSpecial, "\(label), \(path), \(mode): a special was missed")
          #expect(got.workIsKept, "\(label), \(path): wrote past its work memory")
        }
      }
      compare(start, .fp32)
      compare(start.map { $0 & 0xFFFF_0000 }, .bf16)
      compare(start.map { UInt16($0 >> 16) }, .bf16)
    }
  }

  @Test func `rows of a product are products of their own`() {
    var random = NumericsRandom(seed: 67)
    var whole = operands(&random, 0)
    whole.m = 7
    whole.a = (0..<7 * (whole.k + whole.gap)).map { Int8(truncatingIfNeeded: $0 &* 37) }
    whole.aScale = (0..<7 * whole.blocks).map { _ in 127 }
    let zeros = [UInt16](repeating: 0, count: 7 * (whole.n + whole.gap))
    let expected = whole.add(to: zeros, mode: .bf16, startsAtZero: true, path: .active).words
    var part = whole
    part.m = 3
    part.a.removeFirst(4 * (whole.k + whole.gap))
    part.aScale.removeFirst(4 * whole.blocks)
    let rest = [UInt16](zeros.dropFirst(4 * (whole.n + whole.gap)))
    let got = part.add(to: rest, mode: .bf16, startsAtZero: true, path: .active).words
    #expect(got == Array(expected.dropFirst(4 * (whole.n + whole.gap))))
  }
}
