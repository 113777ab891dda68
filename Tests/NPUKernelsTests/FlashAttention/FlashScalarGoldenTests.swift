import NPUKernels
import NPUSim
import Testing

/// The scalar rung against the oracle of Tests/Golden/generate_flash_scalar.py.
@Suite struct FlashScalarGoldenTests {
  private static func cases(source: String = #filePath) throws(NPUError) -> [JSONValue] {
    let tests = source.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    let path = tests.joined(separator: "/") + "/Golden/flash_scalar/cases.json"
    let json = try JSONValue.parse(FileReader.contents(of: path), file: "cases.json")
    return try JSONObjectReader(json, keys: ["cases"]).array("cases")
  }

  @Test func `the recurrence on numbers makes the words of the oracle`() throws {
    let cases = try Self.cases()
    #expect(cases.count >= 20)
    for (index, json) in cases.enumerated() {
      let reader = try JSONObjectReader(
        json, keys: ["q", "kv", "tile", "causal", "window", "lanes", "seed", "out", "lse"])
      var one = FlashCase(try reader.int("q"), try reader.int("kv"), d: 1)
      one.rung = "scalar"
      one.isCausal = try reader.bool("causal")
      let window = try reader.int("window")
      one.window = window > 0 ? window : nil
      var machine = try one.machine(["edge", "ascend-910b-like"][index % 2], cores: 1 + index % 3)
      machine.vector.lanes = try reader.int("lanes")
      let run = try one.run(
        on: machine, schedule: "tile.kv=\(try reader.int("tile")),tile.q=\(1 + index % 9)",
        seed: UInt64(try reader.int("seed")))
      let faults = FlashCase.faults(run.report)
      #expect(faults.isEmpty, "\(one): \(faults.prefix(3))")
      let dump = try run.dump()
      for (name, size) in [("out", 2), ("lse", 4)] {
        let made = try #require(dump[name]).storage
        let words = SoftmaxVSteps.words(made, 0, size, count: made.count / size)
        #expect(words == (try reader.string(name)), "\(one), \(name)")
      }
    }
  }
}
