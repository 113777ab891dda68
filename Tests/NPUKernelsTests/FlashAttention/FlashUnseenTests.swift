import NPUKernels
import NPUSim
import Testing

/// NaN and infinities at keys that a row does not see: the definition says which rows they reach, and
/// every rung does what it says.
@Suite struct FlashUnseenTests {
  private static let seed: UInt64 = 0x5EED_1400
  static let hands = 4

  /// BF16 tensors of a shape with some rows spoiled.
  private static func inputs(
    _ one: FlashCase, _ random: inout SeededGenerator
  ) throws(NPUError) -> TensorSet {
    let kvHeads = one.kvHeads ?? one.heads
    var set = TensorSet()
    for name in ["q", "k", "v"] {
      let shape =
        name == "q"
        ? [one.batch, one.heads, one.queries, one.headDim]
        : [one.batch, kvHeads, one.kv, one.headDim]
      var values = (0..<shape.reduce(1, *)).map { _ in Float(random.below(64)) / 16 - 2 }
      if name != "q" {
        // Late keys more often: most rows do not see them.
        for _ in 0..<1 + random.below(3) {
          let group = random.below(one.batch * kvHeads)
          let key = one.kv - 1 - random.below(one.kv) * random.below(2) / (1 + random.below(3))
          let value = [Float.nan, .infinity, -.infinity][random.below(3)]
          let line = (group * one.kv + max(0, key)) * one.headDim
          for column in stride(from: random.below(3), to: one.headDim, by: 1 + random.below(3)) {
            values[line + min(column, one.headDim - 1)] = value
          }
        }
      }
      try set.insert(Tensor(rounding: values, to: .bf16, shape: shape), named: name)
    }
    return set
  }

  private static func random(_ random: inout SeededGenerator) -> FlashCase {
    let rung = ["scalar", "unfused", "online", "pipelined", "decode"][random.below(5)]
    let isScalar = rung == "scalar"
    let groups = isScalar ? 1 : 1 + random.below(2)
    var one = FlashCase(
      1 + random.below(rung == "decode" ? 6 : 80), 1 + random.below(200),
      heads: groups * (isScalar ? 1 : 1 + random.below(2)), kvHeads: groups,
      d: isScalar ? 1 : [8, 32, 40][random.below(3)])
    one.rung = rung
    one.isCausal = random.below(4) > 0
    one.window = one.isCausal && random.below(2) == 0 ? 1 + random.below(70) : nil
    one.format = !isScalar && random.below(3) == 0 ? "mxint8" : "bf16"
    one.splits = rung == "decode" && one.kv > 64 ? 1 + random.below(2) : 1
    one.accumulator = random.below(2) == 0 ? .bf16 : .fp32
    return one
  }

  @Test(arguments: 0..<hands)
  func `every rung equals its reference with NaN and infinities at any key`(hand: Int) throws {
    var reached = 0
    for number in 0..<(TestScale.isFull ? 1000 : 100) where number % Self.hands == hand {
      let seed = Self.seed + UInt64(number)
      var random = SeededGenerator(seed: seed)
      let one = Self.random(&random)
      let machine = try one.machine(
        ["edge", "ascend-910b-like", "ideal"][number / Self.hands % 3],
        cores: 1 + random.below(3))
      let tiles = [1, 5, 16, 48][random.below(4)]
      let schedule = "tile.q=\(tiles),tile.kv=\([32, 64, 128][random.below(3)])"
      let inputs = try Self.inputs(one, &random)
      let report: RunReport
      do throws(NPUError) {
        report = try one.run(on: machine, schedule: schedule, inputs: inputs).report
      } catch {
        #expect(
          error.category == .program || error.category == .usage,
          "\(one), \(schedule), seed \(seed): \(error)")
        continue
      }
      let numerics = try #require(report.numerics)
      #expect(numerics.isBitExact == true, "\(one), \(schedule), seed \(seed)")
      let codes = Set(report.findings.map(\.code)).subtracting([.N001])
      #expect(codes.isEmpty, "\(one), \(schedule), seed \(seed): \(codes)")
      reached += numerics.reachedOutputs
    }
    #expect(reached > 0)
  }

  /// Rows of 64 with what `other` gives in turn from row 100 on.
  private static func spoiled(_ values: [Float], _ other: [Float]) -> [Float] {
    values.enumerated().map { index, value in
      index / 64 >= 100 ? other[index % other.count] : value
    }
  }

  @Test(arguments: ["online", "pipelined", "unfused", "decode"])
  func `NaN that reached rows which do not see its key is said and is no finding`(
    rung: String
  ) throws {
    var one = FlashCase(128, 128, d: 64)
    (one.isCausal, one.rung) = (true, rung)
    var inputs = TensorSet()
    for (name, phase) in [("k", 3), ("v", 5)] {
      let values = (0..<128 * 64).map { Float(($0 * phase) % 17) / 8 - 1 }
      try inputs.insert(
        Tensor(
          rounding: Self.spoiled(values, [.nan, .infinity]), to: .bf16, shape: [1, 1, 128, 64]),
        named: name)
    }
    let report = try one.run(on: one.machine("edge"), schedule: "tile.q=32", inputs: inputs).report
    #expect(report.numerics?.isBitExact == true)
    #expect(report.isClean)
    #expect(report.findings.allSatisfy { $0.code == .N001 })
    // The tile of queries 96 to 127 touches the block of key 100; every row sees key 0 in the unfused
    // form's one product.
    let rows = rung == "unfused" ? 100 : 4
    #expect(report.numerics?.reachedOutputs == rows * 64)
    let said = "NaN or infinities at keys that their rows do not see reached"
    #expect(report.text().contains(said))
  }

  /// Rows from 100 on see NaN in V; where K has NaN at key 0, every row has by its own scores.
  @Test(arguments: [(false, 4 * 64), (true, 0)])
  func `what is not finite by the keys that it sees was not reached by others`(
    hasNaNScores: Bool, reached: Int
  ) throws {
    var one = FlashCase(128, 128, d: 64)
    (one.isCausal, one.rung) = (true, "online")
    let values: [Float] = (0..<128 * 64).map { Float(($0 * 3) % 17) / 8 - 1 }
    var keys = values
    if hasNaNScores { for column in 0..<64 { keys[column] = .nan } }
    var inputs = TensorSet()
    for (name, words) in [("k", keys), ("v", Self.spoiled(values, [.nan]))] {
      try inputs.insert(
        Tensor(rounding: words, to: .bf16, shape: [1, 1, 128, 64]), named: name)
    }
    let report = try one.run(on: one.machine("edge"), schedule: "tile.q=32", inputs: inputs).report
    #expect(report.numerics?.isBitExact == true && report.numerics?.reachedOutputs == reached)
  }

  @Test(arguments: ["scalar", "unfused", "online", "pipelined", "decode"])
  func `rows without keys raise nothing`(rung: String) throws {
    var one = FlashCase(50, 20, d: rung == "scalar" ? 1 : 32)
    (one.isCausal, one.rung) = (true, rung)
    for window in [nil, 3] {
      one.window = window
      let run = try one.run(on: one.machine("edge"))
      #expect(FlashCase.faults(run.report) == [], "\(one)")
      let lse = try #require(run.dump()["lse"]).floats()
      #expect(
        lse.prefix(30).allSatisfy { $0 == -.infinity } && lse.suffix(20).allSatisfy(\.isFinite))
    }
  }
}
