import NPUKernels
import NPUSim
import Testing

/// flash_attention against an oracle that shares no code with it:
/// Tests/Golden/generate_flash_attention.py.
@Suite struct FlashGoldenTests {
  static let hands = 4

  @Test(arguments: 0..<hands)
  func `decode makes the words of the oracle for every format, mask, page and split`(hand: Int)
    throws
  {
    let cases = try FlashGolden.all().filter { !$0.isUnfused }
    for (index, golden) in cases.enumerated() where index % Self.hands == hand {
      var one = golden.one
      one.rung = "decode"
      var rungs = [one]
      if one.format.hasPrefix("e") {
        one.rung = "composed"
        rungs.append(one)
      }
      for one in rungs {
        // A case is as good on one machine as on another: they take turns.
        let name = ["edge", "ascend-910b-like", "ideal"][index / Self.hands % 3]
        let run = try one.run(
          on: golden.machine(name), schedule: golden.schedule, seed: golden.seed,
          inputs: golden.inputs())
        let faults = golden.faults(run)
        #expect(faults.isEmpty, "\(one) on \(name): \(faults.prefix(3))")
      }
    }
  }

  @Test(arguments: ["online", "pipelined", "unfused"])
  func `prefill makes the words of the oracle, each rung by its definition`(rung: String) throws {
    let cases = try FlashGolden.all().filter {
      $0.isUnfused == (rung == "unfused") && !$0.one.format.hasPrefix("e") && $0.one.page == nil
        && $0.one.splits == 1
    }
    #expect(cases.count >= 20)
    for (index, golden) in cases.enumerated() {
      var one = golden.one
      one.rung = rung
      let name = ["edge", "ascend-910b-like", "ideal"][index % 3]
      let run = try one.run(
        on: golden.machine(name), schedule: golden.schedule, seed: golden.seed,
        inputs: golden.inputs())
      let faults = golden.faults(run)
      #expect(faults.isEmpty, "\(one) on \(name): \(faults.prefix(3))")
    }
  }

  @Test func `the cases cover formats, accumulators, lanes, masks, pages, splits and values`()
    throws
  {
    let cases = try FlashGolden.all()
    for isUnfused in [false, true] {
      let some = cases.filter { $0.isUnfused == isUnfused }
      #expect(Set(some.compactMap(\.input)).count >= 8)
      #expect(Set(some.map(\.one.accumulator)).count == 2)
      #expect(Set(some.map(\.sfuMode)).count == 2)
      #expect(some.contains { $0.one.isCausal && $0.one.queries > $0.one.kv })
      #expect(some.contains { ($0.one.window ?? .max) < 20 })
      #expect(some.filter { $0.input?.contains("unseen") == true }.count >= 4)
    }
    for format in ["bf16", "mxint8", "e4m3fn", "e5m2"] {
      let some = cases.filter { $0.one.format == format }
      #expect(Set(some.map(\.lanes)) == [4, 32, 64])
      #expect(Set(some.map(\.one.splits)).isSuperset(of: [1, 2, 3, 4]))
      #expect(Set(some.compactMap(\.one.page)).isSuperset(of: [32, 64, 128]))
      #expect(some.contains { ($0.one.kvHeads ?? 0) < $0.one.heads })
    }
  }
}
