import NPUKernels
import NPUSim
import Testing

/// gemm, gevm and dot_product against an oracle that shares no code with them:
/// Tests/Golden/generate_gemm.py.
@Suite struct GemmGoldenTests {
  static let hands = 4

  @Test(arguments: 0..<hands)
  func `both kinds of operands make the words of the oracle`(hand: Int) throws {
    let cases = try GemmGolden.all()
    for (index, golden) in cases.enumerated() where index % Self.hands == hand {
      for operands in ["mxint8", "bf16"] {
        var one = golden.one
        one.operands = operands
        // A case is as good on one machine as on another: they take turns.
        let name = index / 4 % 2 == 0 ? "edge" : "ascend-910b-like"
        let run = try one.run(
          on: one.machine(name, cores: 1), seed: golden.seed, inputs: golden.inputs())
        let faults = KernelRun.faults(run.report)
          .filter { !$0.hasPrefix("N00") || $0.hasPrefix("N004") }
        #expect(faults.isEmpty, "\(one): \(faults.prefix(3))")
        let words = try #require(try run.dump()["output"]).storage
        let text = golden.text(words)
        #expect(
          CRC32.checksum(words) == golden.crc32 && text.first == golden.first
            && text.last == golden.last,
          "\(one): \(text.first) … \(text.last), the oracle \(golden.first) … \(golden.last)")
      }
    }
  }

  @Test func `the cases cover kernels, accumulators, outputs and explicit values`() throws {
    let cases = try GemmGolden.all()
    #expect(Set(cases.map(\.one.kernel)) == ["gemm", "gevm", "dot_product"])
    #expect(Set(cases.compactMap(\.input)).count >= 6)
    for accumulator in AccumulatorMode.allCases {
      for output in ["bf16", "f32"] {
        let same = cases.filter {
          $0.one.accumulator == accumulator && $0.one.output == output
        }
        #expect(same.count >= 20)
      }
    }
  }
}

/// A case that Tests/Golden/generate_gemm.py computed with NumPy and ml_dtypes.
struct GemmGolden: Sendable {
  var one: GemmCase
  /// A file of inputs; otherwise they come from the seed.
  var input: String?
  var seed: UInt64
  /// CRC-32 of the output's little-endian bytes, and up to four words from its ends.
  var crc32: UInt32
  var first: String
  var last: String

  private static func path(_ name: String, source: String = #filePath) -> String {
    let tests = source.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    return tests.joined(separator: "/") + "/Golden/gemm/\(name)"
  }

  /// Every case of cases.json.
  static func all() throws(NPUError) -> [GemmGolden] {
    let json = try JSONValue.parse(
      FileReader.contents(of: path("cases.json")), file: "cases.json")
    var cases: [GemmGolden] = []
    for value in try JSONObjectReader(json, keys: ["cases"]).array("cases") {
      cases.append(try GemmGolden(value))
    }
    return cases
  }

  private init(_ json: JSONValue) throws(NPUError) {
    let reader = try JSONObjectReader(
      json,
      keys: [
        "kernel", "m", "n", "k", "input", "seed", "accumulator", "output", "crc32", "first", "last",
      ])
    one = GemmCase(try reader.int("m"), try reader.int("n"), try reader.int("k"))
    one.kernel = try reader.string("kernel")
    one.output = try reader.string("output")
    one.accumulator = try reader.choice("accumulator")
    let file = try reader.value("input")
    if case .null = file.content { input = nil } else { input = try file.requireString("input") }
    guard let seed = try UInt64(reader.string("seed")),
      let crc = try UInt32(reader.string("crc32"), radix: 16)
    else { throw NPUError(.internal, "cases.json: a seed or a checksum is no number") }
    self.seed = seed
    crc32 = crc
    first = try reader.string("first")
    last = try reader.string("last")
  }

  func inputs() throws(NPUError) -> TensorSet? {
    guard let input else { return nil }
    return try TensorSet.read(Self.path(input))
  }

  /// The words at both ends as cases.json writes them.
  func text(_ bytes: [UInt8]) -> (first: String, last: String) {
    let size = one.output == "bf16" ? 2 : 4
    let count = bytes.count / size
    let shown = min(4, count)
    return (
      SoftmaxVSteps.words(bytes, 0, size, count: shown),
      SoftmaxVSteps.words(bytes, count - shown, size, count: shown)
    )
  }
}
