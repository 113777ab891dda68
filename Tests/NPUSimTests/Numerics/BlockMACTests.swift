import NPUSim
import Testing

@Suite struct BlockMACTests {
  @Test func `a block value is the scaled integer rounded once`() throws {
    let rows = try NumericsGolden("mac_values").uint32
    var wrong: [String] = []
    for row in stride(from: 0, to: rows.count, by: 4) {
      let sum = Int32(bitPattern: rows[row])
      let (a, b) = (E8M0(bits: UInt8(rows[row + 1])), E8M0(bits: UInt8(rows[row + 2])))
      let got = BlockMAC.value(sum: sum, a: a, b: b).bitPattern
      if got != rows[row + 3] { wrong.append("\(sum) \(a.bits) \(b.bits): \(hex(got))") }
    }
    #expect(wrong.prefix(10) == [])
    #expect(rows.count > 12000)
  }

  /// One case of mac_products: operands, scales and the results of both accumulators.
  private struct Product {
    var m = 0
    var n = 0
    var k = 0
    var a: [Int8] = []
    var aScale: [UInt8] = []
    var b: [Int8] = []
    var bScale: [UInt8] = []
    var results: [AccumulatorMode: [UInt32]] = [:]
    /// Accumulators between one output row and the next that do not belong to the output.
    var gap = 0

    /// The scalar chain of one output element.
    func dot(_ row: Int, _ col: Int, _ mode: AccumulatorMode, initial: Float = 0) -> Float {
      let blocks = MXINT8.blocks(k)
      return BlockMAC.dot(
        Array(a[row * k..<row * k + k]),
        (0..<blocks).map { E8M0(bits: aScale[row * blocks + $0]) },
        (0..<k).map { b[$0 * n + col] },
        (0..<blocks).map { E8M0(bits: bScale[$0 * n + col]) }, mode: mode, initial: initial)
    }

    /// The bulk product over k elements from `start`, added to `acc`.
    func accumulate(_ acc: inout [Float], _ mode: AccumulatorMode, from start: Int, to end: Int) {
      let blocks = MXINT8.blocks(k)
      acc.withUnsafeMutableBufferPointer { acc in
        a.withUnsafeBufferPointer { a in
          aScale.withUnsafeBufferPointer { aScale in
            b.withUnsafeBufferPointer { b in
              bScale.withUnsafeBufferPointer { bScale in
                guard let to = acc.baseAddress, let a = a.baseAddress, let b = b.baseAddress,
                  let aScale = aScale.baseAddress, let bScale = bScale.baseAddress
                else { return }
                BlockMAC.matmul(
                  acc: to, accStride: n + gap, a: a + start, aStride: k,
                  aScale: aScale + start / 32, aScaleStride: blocks, b: b + start * n, bStride: n,
                  bScale: bScale + start / 32 * n, bScaleStride: n, m: m, n: n, k: end - start,
                  mode: mode)
              }
            }
          }
        }
      }
    }
  }

  private func products() throws -> [Product] {
    let bytes = try NumericsGolden("mac_products").bytes
    var at = 0
    func take(_ count: Int) -> [UInt8] {
      defer { at += count }
      return Array(bytes[at..<at + count])
    }
    func words(_ count: Int) -> [UInt32] {
      let raw = take(4 * count)
      return (0..<count).map { i in (0..<4).reduce(0) { $0 | UInt32(raw[4 * i + $1]) << (8 * $1) } }
    }
    var all: [Product] = []
    while at < bytes.count {
      var case_ = Product()
      let header = words(3)
      (case_.m, case_.n, case_.k) = (Int(header[0]), Int(header[1]), Int(header[2]))
      let blocks = MXINT8.blocks(case_.k)
      case_.a = take(case_.m * case_.k).map { Int8(bitPattern: $0) }
      case_.aScale = take(case_.m * blocks)
      case_.b = take(case_.k * case_.n).map { Int8(bitPattern: $0) }
      case_.bScale = take(blocks * case_.n)
      for mode in [AccumulatorMode.bf16, .fp32] {
        case_.results[mode] = words(case_.m * case_.n)
      }
      all.append(case_)
    }
    return all
  }

  @Test(arguments: AccumulatorMode.allCases)
  func `products are the chains NumPy computes, in scalar and in bulk`(
    mode: AccumulatorMode
  ) throws {
    let all = try products()
    #expect(all.count == 33)
    for (index, product) in all.enumerated() {
      let expected = product.results[mode] ?? []
      var scalar: [UInt32] = []
      for row in 0..<product.m {
        for col in 0..<product.n { scalar.append(product.dot(row, col, mode).bitPattern) }
      }
      var bulk = [Float](repeating: 0, count: product.m * product.n)
      product.accumulate(&bulk, mode, from: 0, to: product.k)
      #expect(scalar == expected, "case \(index)")
      #expect(bulk.map(\.bitPattern) == expected, "case \(index)")
    }
  }

  @Test(arguments: AccumulatorMode.allCases)
  func `a product split along k at multiples of 32 is the same chain`(
    mode: AccumulatorMode
  ) throws {
    for product in try products() where product.k > 32 {
      let expected = product.results[mode] ?? []
      for cut in stride(from: 32, to: product.k, by: 32) {
        var acc = [Float](repeating: 0, count: product.m * product.n)
        product.accumulate(&acc, mode, from: 0, to: cut)
        product.accumulate(&acc, mode, from: cut, to: product.k)
        #expect(acc.map(\.bitPattern) == expected)
      }
    }
  }

  @Test func `an empty chain is +0, and a chain starts from what it is given`() {
    for mode in AccumulatorMode.allCases {
      #expect(BlockMAC.dot([], [], [], [], mode: mode).bitPattern == 0)
      let one = E8M0(bits: 133)
      #expect(BlockMAC.dot([2], [one], [3], [one], mode: mode, initial: 10) == 16)
    }
  }

  @Test func `the BF16 register rounds every addition, the FP32 register does not`() {
    #expect(AccumulatorMode.bf16.add(256, 1) == 256)
    #expect(AccumulatorMode.fp32.add(256, 1) == 257)
    #expect(AccumulatorMode.bf16.add(258, 1) == 260)
    // fl32 first: 2^-40 is gone before the tie at 257 is seen, so it goes to even.
    #expect(AccumulatorMode.bf16.add(256, 1 + 0x1p-23) == 256)
    #expect(AccumulatorMode.bf16.add(0x1.FEp127, 0x1p119) == .infinity)
    #expect(AccumulatorMode.fp32.add(0x1.FEp127, 0x1p119).isFinite)
    for mode in AccumulatorMode.allCases {
      let negative = Float(bitPattern: 0xFFC0_0001)
      #expect(mode.add(.infinity, -.infinity).bitPattern == 0x7FC0_0000)
      #expect(mode.add(negative, 1).bitPattern == 0x7FC0_0000)
    }
  }

  @Test func `random products: bulk equals the scalar chain, neighbours untouched`() {
    let seed: UInt64 = 23
    var random = NumericsRandom(seed: seed)
    for trial in 0..<seededCount(300) {
      var product = Product()
      product.m = Int.random(in: 1...9, using: &random)
      product.n = Int.random(in: 1...40, using: &random)
      product.k = Int.random(in: 0...130, using: &random)
      let blocks = MXINT8.blocks(product.k)
      let centre = Int.random(in: 0...254, using: &random)
      func payloads(_ count: Int) -> [Int8] {
        (0..<count).map { _ in
          let word = random.next()
          return word & 0xF00 == 0 ? -128 : Int8(truncatingIfNeeded: word)
        }
      }
      func scales(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in
          let word = random.next()
          if word & 0xFF000 == 0 { return 255 }
          return UInt8(min(max(centre + Int(word & 15) - 8, 0), 254))
        }
      }
      product.a = payloads(product.m * product.k)
      product.b = payloads(product.k * product.n)
      product.aScale = scales(product.m * blocks)
      product.bScale = scales(blocks * product.n).map { UInt8(clamping: 258 - Int($0)) }
      for mode in AccumulatorMode.allCases {
        product.gap = trial % 4
        let stride = product.n + product.gap
        let start = (0..<product.m * stride).map { _ in
          mode == .bf16 ? BF16(random.anyFloat()).float : random.anyFloat()
        }
        var bulk = start
        product.accumulate(&bulk, mode, from: 0, to: product.k)
        for row in 0..<product.m {
          for col in 0..<stride {
            let index = row * stride + col
            let inside = col < product.n
            let expected =
              inside ? product.dot(row, col, mode, initial: start[index]) : start[index]
            #expect(
              bulk[index].bitPattern == expected.bitPattern,
              "seed \(seed), trial \(trial), \(mode), row \(row), col \(col)")
          }
        }
      }
    }
  }
}
