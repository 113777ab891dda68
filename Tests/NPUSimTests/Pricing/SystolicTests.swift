import Foundation
import NPUSim
import Testing

/// The systolic matrix unit, against a simulator that is not ours.
@Suite struct SystolicTests {
  /// A product that SCALE-Sim 3.0.0 counted: Tests/Silicon/scalesim_cases.csv.
  struct Case {
    var rows: Int
    var columns: Int
    var dataflow: SystolicArray.Dataflow
    var m: Int
    var n: Int
    var k: Int
    var cycles: Int64
  }

  static func cases() throws -> [Case] {
    let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Silicon/scalesim_cases.csv")
    let lines = try String(contentsOf: path, encoding: .utf8).split(separator: "\n").dropFirst()
    return try lines.map { line in
      let words = line.split(separator: ",")
      let numbers = words.map { Int($0) ?? 0 }
      return Case(
        rows: numbers[0], columns: numbers[1],
        dataflow: try #require(SystolicArray.Dataflow(rawValue: String(words[2]))), m: numbers[3],
        n: numbers[4], k: numbers[5], cycles: Int64(numbers[7]))
    }
  }

  /// The cycles of a program of one matmul.
  private func cycles(
    _ machine: MachineConfiguration, m: Int, n: Int, k: Int
  ) throws -> Int64 {
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    let left = try p.buffer("left", in: Left.self, .mxint8, rows: m, columns: k)
    let right = try p.buffer(
      "right", in: Right.self, .mxint8, rows: k, columns: n, axis: .alongRows)
    let acc = try p.buffer(
      "acc", in: Acc.self, machine.matrix.accumulator.format, rows: m, columns: n)
    p.emit(Matmul(acc.tile(), left: left.tile(), right: right.tile(), accumulate: false))
    let result = try TimingEngine.run(p.build())
    #expect(result.cycles == result.cores[0].queues[Queue.matrix.index].busy)
    return result.cycles
  }

  @Test func `every product of SCALE-Sim takes its cycles, which it counts from 0`() throws {
    let cases = try Self.cases()
    #expect(cases.count == 43)
    for one in cases {
      let preset = try Presets.named("scalesim-\(one.dataflow.rawValue)")
      let machine = try preset.applying(sets: [
        "matrix.rows=\(one.rows)", "matrix.columns=\(one.columns)",
      ]).configuration
      #expect(machine.matrix.array.dataflow == one.dataflow)
      let found = try cycles(machine, m: one.m, n: one.n, k: one.k)
      #expect(found - 1 == one.cycles, "\(one)")
    }
  }

  /// The form of the paper behind the tool: 2R + C + T − 2 for each fold whatever stays, where the tool
  /// does not wait for the sums of an output-stationary fold to be shifted out.
  @Test func `the tool's output-stationary fold is as many cycles shorter as the array has rows`()
    throws
  {
    for one in try Self.cases() where one.dataflow == .outputStationary {
      let folds = (one.m + one.rows - 1) / one.rows * ((one.n + one.columns - 1) / one.columns)
      let paper = folds * (2 * one.rows + one.columns + one.k - 2)
      var machine = try Presets.named("scalesim-os").configuration
      machine.matrix.array = SystolicArray(rows: one.rows, columns: one.columns)
      let found = try cycles(machine, m: one.m, n: one.n, k: one.k)
      #expect(Int(found) == paper - folds * one.rows, "\(one)")
    }
  }

  @Test func `folds overlap up to what does not stream, and k counts in single steps`() throws {
    var machine = try Presets.named("scalesim-ws").configuration
    machine.matrix.array = SystolicArray(.weightStationary, rows: 4, columns: 8)
    machine.matrix.overhead = 3
    // Three folds of k, two of n; a fold takes 5 + 14 cycles.
    #expect(try cycles(machine, m: 5, n: 9, k: 11) == 6 * 19 + 3)
    #expect(try cycles(machine, m: 5, n: 9, k: 12) == 6 * 19 + 3)
    #expect(try cycles(machine, m: 5, n: 9, k: 13) == 8 * 19 + 3)
    for (overlap, fold) in [(1, 18), (13, 6), (14, 5), (15, 5), (1_000_000, 5)] {
      machine.matrix.array.foldOverlap = Int64(overlap)
      let expected = Int64(19 + 5 * fold + 3)
      #expect(try cycles(machine, m: 5, n: 9, k: 11) == expected, "overlap \(overlap)")
    }
    #expect(machine.matrix.pricing.peak == (32, 1))
  }

  @Test func `a product beyond 2^63 cycles has no price`() throws {
    var unit = try Presets.named("scalesim-os").configuration.matrix
    unit.array = SystolicArray(rows: 1, columns: 1)
    let pricing = unit.pricing
    #expect(pricing.occupancy(m: 1 << 31, k: 1, n: 1 << 31) == 1 << 62)
    #expect(pricing.occupancy(m: 1 << 32, k: 1, n: 1 << 31) == nil)
    #expect(pricing.occupancy(m: 1, k: .max, n: 2) == nil)
    #expect(pricing.occupancy(m: 0, k: 5, n: 2) == 0)
  }
}
