import NPUSim
import Testing

@Suite struct VectorTests {
  @Test func `each operation is one IEEE operation with the canonical NaN`() throws {
    let words = try NumericsGolden("vector_cases").uint32
    let count = words.count / 7
    let a = words[0..<count].map(Float.init(bitPattern:))
    let b = words[count..<2 * count].map(Float.init(bitPattern:))
    let scalars: [(Float, Float) -> Float] = [FP32.add, FP32.sub, FP32.mul, FP32.div, FP32.max]
    for (operation, apply) in scalars.enumerated() {
      let expected = Array(words[(2 + operation) * count..<(3 + operation) * count])
      let got = zip(a, b).map { apply($0, $1).bitPattern }
      #expect(got == expected, "operation \(operation)")

      var bulk = [Float](repeating: 0, count: count)
      switch operation {
      case 0: Bulk.add(&bulk, a, b, count: count)
      case 1: Bulk.sub(&bulk, a, b, count: count)
      case 2: Bulk.mul(&bulk, a, b, count: count)
      case 3: Bulk.div(&bulk, a, b, count: count)
      default: Bulk.max(&bulk, a, b, count: count)
      }
      #expect(bulk.map(\.bitPattern) == expected, "bulk operation \(operation)")

      for scalar in b.prefix(20) {
        let wanted = a.map { apply($0, scalar).bitPattern }
        switch operation {
        case 0: Bulk.add(&bulk, a, scalar: scalar, count: count)
        case 1: Bulk.sub(&bulk, a, scalar: scalar, count: count)
        case 2: Bulk.mul(&bulk, a, scalar: scalar, count: count)
        case 3: Bulk.div(&bulk, a, scalar: scalar, count: count)
        default: Bulk.max(&bulk, a, scalar: scalar, count: count)
        }
        #expect(bulk.map(\.bitPattern) == wanted, "operation \(operation) by \(scalar)")
      }
    }
  }

  @Test func `max propagates NaN and orders the zeros`() {
    #expect(FP32.max(-0.0, 0).bitPattern == 0 && FP32.max(0, -0.0).bitPattern == 0)
    #expect(FP32.max(-0.0, -0.0).bitPattern == 0x8000_0000)
    #expect(FP32.max(.nan, .infinity).bitPattern == 0x7FC0_0000)
    #expect(FP32.max(-.infinity, Float(bitPattern: 0xFFC0_0000)).bitPattern == 0x7FC0_0000)
  }

  @Test func `a lane sum is the sum NumPy gets in the same order`() throws {
    let values = try NumericsGolden("lane_values").float
    let rows = try NumericsGolden("lane_sums").uint32
    for row in stride(from: 0, to: rows.count, by: 3) {
      let (lanes, count) = (Int(rows[row]), Int(rows[row + 1]))
      let got = LaneReduction.sum(values.prefix(count), lanes: lanes)
      #expect(got.bitPattern == rows[row + 2], "\(count) elements on \(lanes) lanes")
    }
  }

  @Test func `an empty sum is +0, an empty maximum −∞, a single −0 stays −0`() {
    #expect(LaneReduction.sum([], lanes: 8).bitPattern == 0)
    #expect(LaneReduction.max([], lanes: 8) == -.infinity)
    #expect(LaneReduction.sum([-0.0], lanes: 8).bitPattern == 0x8000_0000)
    #expect(LaneReduction.sum([-0.0, -0.0], lanes: 2).bitPattern == 0x8000_0000)
    #expect(LaneReduction.sum([-0.0, 0], lanes: 2).bitPattern == 0)
    #expect(LaneReduction.max([-0.0, 0], lanes: 2).bitPattern == 0)
    #expect(LaneReduction.sum([Float(bitPattern: 0xFFFF_FFFF)], lanes: 4).isNaN)
    let nan = LaneReduction.sum([Float(bitPattern: 0xFFFF_FFFF)], lanes: 4)
    #expect(nan.bitPattern == 0x7FC0_0000)
  }

  @Test func `partials stopped and continued anywhere give the same words`() {
    let seed: UInt64 = 29
    var random = NumericsRandom(seed: seed)
    for trial in 0..<seededCount(2000) {
      let lanes = 1 << Int.random(in: 0...7, using: &random)
      let count = Int.random(in: 0...400, using: &random)
      let values = random.block(count, specials: trial % 4 == 0)
      for operation in LaneReduction.Operation.allCases {
        let expected = LaneReduction.reduce(values, lanes: lanes, operation)
        var partials = [Float](repeating: 12345, count: lanes)
        var done = 0
        while done < count {
          let step = Int.random(in: 1...count - done, using: &random)
          let part = Array(values[done..<done + step])
          LaneReduction.accumulate(
            partials: &partials, lanes: lanes, firstIndex: done, values: part, count: step,
            operation: operation)
          done += step
        }
        let got = LaneReduction.finish(
          partials, lanes: lanes, count: count, operation: operation)
        #expect(
          got.bitPattern == expected.bitPattern,
          "seed \(seed), trial \(trial), \(operation), \(count) on \(lanes)")
      }
    }
  }

  @Test func `lanes without elements are never read or written`() {
    var partials: [Float] = [.nan, .nan, .nan, .nan]
    LaneReduction.accumulate(
      partials: &partials, lanes: 4, firstIndex: 0, values: [1, 2, 4], count: 3)
    #expect(partials[3].isNaN)
    #expect(LaneReduction.finish(partials, lanes: 4, count: 3) == 7)
  }
}
