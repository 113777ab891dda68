import NPUKernels
import NPUSim
import Testing

/// softmax against an oracle that shares no code with it: Tests/Golden/generate_softmax.py.
@Suite struct SoftmaxGoldenTests {
  static let hands = 4

  @Test(arguments: 0..<hands)
  func `the program makes the words of the oracle`(hand: Int) throws {
    let cases = try SoftmaxGolden.all()
    for (index, golden) in cases.enumerated() where index % Self.hands == hand {
      let run = try KernelRun.run(
        "softmax", golden.arguments, on: golden.machine(), schedule: golden.schedule,
        seed: golden.seed, inputs: golden.inputs())
      let faults = KernelRun.faults(run.report)
        .filter { !$0.hasPrefix("N00") || $0.hasPrefix("N004") }
      #expect(faults.isEmpty, "\(golden): \(faults.prefix(3))")
      let found = GoldenDigest(try #require(try run.dump()["out"]))
      #expect(found == golden.digest, "\(golden): \(found), not \(golden.digest)")
    }
  }

  @Test func `the cases cover forms, functions, lanes, and values that no seed gives`() throws {
    let cases = try SoftmaxGolden.all()
    #expect(Set(cases.compactMap(\.input)).count == 4)
    for lanes in [4, 32, 64] {
      for mode in SFUMode.allCases {
        for passes in ["2", "3"] {
          for exp in ["base-e", "base-2"] {
            let same = cases.filter {
              $0.settings.lanes == lanes && $0.settings.sfuMode == mode
                && $0.arguments["passes"] == passes && $0.arguments["exp"] == exp
            }
            #expect(same.count >= 10 && same.contains { $0.input != nil })
          }
        }
      }
    }
  }
}

/// A case that Tests/Golden/generate_softmax.py computed with NumPy and mpmath.
struct SoftmaxGolden: Sendable, CustomStringConvertible {
  /// The flags of the kernel.
  var arguments: [String: String]
  var schedule: String
  /// A file of x; otherwise it comes from the seed.
  var input: String?
  var seed: UInt64
  var settings: DatapathSettings
  var digest: GoldenDigest

  var description: String {
    "\(arguments) \(schedule), seed \(seed), \(input ?? "seeded"), \(settings)"
  }

  private static func path(_ name: String, source: String = #filePath) -> String {
    let tests = source.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    return tests.joined(separator: "/") + "/Golden/softmax/\(name)"
  }

  /// Every case of cases.json.
  static func all() throws(NPUError) -> [SoftmaxGolden] {
    let json = try JSONValue.parse(
      FileReader.contents(of: path("cases.json")), file: "cases.json")
    var cases: [SoftmaxGolden] = []
    for value in try JSONObjectReader(json, keys: ["cases"]).array("cases") {
      cases.append(try SoftmaxGolden(value))
    }
    return cases
  }

  private init(_ json: JSONValue) throws(NPUError) {
    let reader = try JSONObjectReader(
      json,
      keys: [
        "rows", "cols", "input", "seed", "passes", "exp", "sfu", "lanes", "tile", "crc32", "first",
        "last",
      ])
    arguments = [
      "rows": "\(try reader.int("rows"))", "cols": "\(try reader.int("cols"))",
      "passes": "\(try reader.int("passes"))", "exp": try reader.string("exp"),
    ]
    schedule = "tile.rows=2,tile.cols=\(try reader.int("tile"))"
    let file = try reader.value("input")
    if case .null = file.content { input = nil } else { input = try file.requireString("input") }
    guard let seed = try UInt64(reader.string("seed")) else {
      throw NPUError(.internal, "cases.json: a seed is no number")
    }
    self.seed = seed
    settings = DatapathSettings(
      lanes: try reader.int("lanes"), accumulator: .bf16, sfuMode: try reader.choice("sfu"))
    digest = try GoldenDigest(reader)
  }

  /// The default machine with the settings of the case.
  func machine() throws(NPUError) -> MachineConfiguration {
    var machine = try Presets.named("edge").configuration
    machine.vector.lanes = settings.lanes
    machine.sfuMode = settings.sfuMode
    return machine
  }

  func inputs() throws(NPUError) -> TensorSet? {
    guard let input else { return nil }
    return try TensorSet.read(Self.path(input))
  }
}
