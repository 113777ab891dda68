import NPUKernels
import NPUSim
import Testing

/// softmax_v against an oracle that shares no code with it: Tests/Golden/generate_softmax_v.py.
@Suite struct SoftmaxVGoldenTests {
  /// Cases are dealt out so that they run side by side.
  static let hands = 8

  @Test func `the checksum is that of the published check value`() {
    #expect(CRC32.checksum(Array("123456789".utf8)) == 0xCBF4_3926)
  }

  @Test(arguments: 0..<hands)
  func `program and reference make the words of the oracle in every step`(hand: Int) throws {
    let cases = try SoftmaxVGolden.all()
    for (index, golden) in cases.enumerated()
    where index % Self.hands == hand && (!golden.isFullOnly || TestScale.isFull) {
      do {
        for line in try Self.differences(golden) { Issue.record("\(line)") }
      } catch { Issue.record("\(golden.name): \(error)") }
    }
  }

  private static func differences(_ golden: SoftmaxVGolden) throws(NPUError) -> [String] {
    let machine = try golden.machine()
    let inputs = try golden.inputs()
    let kernel = try golden.shape.kernel(on: machine)
    let made = try SoftmaxVSteps(executing: kernel.program(), of: kernel, inputs: inputs)
    let pure = try SoftmaxVSteps(reference: kernel, inputs: inputs, machine: machine)
    return try golden.differences(made, by: "the program")
      + golden.differences(pure, by: "the reference")
  }

  @Test func `the cases cover lengths, layouts, values, accumulators, functions and lanes`() throws
  {
    let cases = try SoftmaxVGolden.all()
    #expect(Set(cases.map(\.shape.kv)).isSuperset(of: [1, 4, 31, 32, 33, 128, 1000, 4096]))
    #expect(Set(cases.map(\.shape.headDim)).isSuperset(of: [1, 64, 80, 128]))
    #expect(Set(cases.map(\.seed)).count >= 5)
    #expect(Set(cases.compactMap(\.input)).count >= 10)
    for lanes in [4, 32, 64] {
      for accumulator in AccumulatorMode.allCases {
        for mode in SFUMode.allCases {
          for isStable in [false, true] {
            let settings = DatapathSettings(lanes: lanes, accumulator: accumulator, sfuMode: mode)
            let same = cases.filter { $0.settings == settings && $0.shape.isStable == isStable }
            #expect(same.count >= 10, "\(settings)")
          }
        }
      }
    }
    #expect(cases.contains { $0.shape.kvHeads < $0.shape.heads && $0.shape.queries > 1 })
  }
}
