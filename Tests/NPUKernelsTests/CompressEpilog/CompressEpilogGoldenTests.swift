import NPUKernels
import NPUSim
import Testing

/// compress_epilog against an oracle that shares no code with it:
/// Tests/Golden/generate_compress_epilog.py.
@Suite struct CompressEpilogGoldenTests {
  static let hands = 4

  @Test(arguments: 0..<hands)
  func `both rungs make the caches of the oracle`(hand: Int) throws {
    let cases = try CompressEpilogGolden.all()
    for (index, golden) in cases.enumerated() where index % Self.hands == hand {
      for rung in ["one-op", "composed"] {
        // A case is as good on one machine as on another: they take turns.
        let name = index / 4 % 2 == 0 ? "edge" : "ascend-910b-like"
        let run = try KernelRun.run(
          "compress_epilog", golden.arguments.merging(["rung": rung]) { $1 },
          on: Presets.named(name).configuration, seed: golden.seed, inputs: golden.inputs())
        let faults = KernelRun.faults(run.report)
          .filter { !$0.hasPrefix("N00") || $0.hasPrefix("N004") }
        #expect(faults.isEmpty, "\(golden) \(rung): \(faults.prefix(3))")
        let dump = try run.dump()
        for (tensor, digest) in golden.digests {
          let found = GoldenDigest(try #require(dump[tensor]))
          #expect(found == digest, "\(golden) \(rung): \(tensor) is \(found), not \(digest)")
        }
      }
    }
  }

  @Test func `the cases cover every conversion, and values that no seed gives`() throws {
    let cases = try CompressEpilogGolden.all()
    #expect(Set(cases.compactMap(\.input)).count == 6)
    for format in ["e4m3fn", "e5m2"] {
      for input in ["bf16", "f16"] {
        for mode in ["1", "0"] {
          let same = cases.filter {
            $0.arguments["format"] == format && $0.arguments["input"] == input
              && $0.arguments["quant-mode"] == mode
          }
          #expect(same.count >= 10, "\(format), \(input), mode \(mode)")
          #expect(same.contains { $0.input != nil })
          if mode == "0" { #expect(same.contains { $0.arguments["no-round-scale"] != nil }) }
        }
      }
    }
  }
}

/// The words of a tensor as golden files state them.
struct GoldenDigest: Hashable, CustomStringConvertible {
  /// CRC-32 (IEEE 802.3) of the little-endian bytes.
  var crc32: UInt32
  /// Up to four words from either end.
  var first: String
  var last: String

  var description: String { "\(first) … \(last) (CRC \(String(crc32, radix: 16)))" }

  init(_ tensor: Tensor) {
    let size = tensor.dtype.byteCount
    let count = tensor.elementCount
    let shown = min(4, count)
    crc32 = CRC32.checksum(tensor.storage)
    first = SoftmaxVSteps.words(tensor.storage, 0, size, count: shown)
    last = SoftmaxVSteps.words(tensor.storage, count - shown, size, count: shown)
  }

  /// From the keys `crc32`, `first` and `last`.
  init(_ reader: JSONObjectReader) throws(NPUError) {
    guard let crc = try UInt32(reader.string("crc32"), radix: 16) else {
      throw NPUError(.internal, "cases.json: a checksum is no number")
    }
    crc32 = crc
    first = try reader.string("first")
    last = try reader.string("last")
  }
}

/// A case that Tests/Golden/generate_compress_epilog.py computed with NumPy and ml_dtypes.
struct CompressEpilogGolden: Sendable, CustomStringConvertible {
  /// The flags of the kernel.
  var arguments: [String: String]
  /// A file of x and slot_mapping; otherwise they come from the seed.
  var input: String?
  var seed: UInt64
  var digests: [String: GoldenDigest]

  var description: String { "\(arguments), seed \(seed), \(input ?? "seeded")" }

  private static func path(_ name: String, source: String = #filePath) -> String {
    let tests = source.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    return tests.joined(separator: "/") + "/Golden/compress_epilog/\(name)"
  }

  /// Every case of cases.json.
  static func all() throws(NPUError) -> [CompressEpilogGolden] {
    let json = try JSONValue.parse(
      FileReader.contents(of: path("cases.json")), file: "cases.json")
    var cases: [CompressEpilogGolden] = []
    for value in try JSONObjectReader(json, keys: ["cases"]).array("cases") {
      cases.append(try CompressEpilogGolden(value))
    }
    return cases
  }

  private init(_ json: JSONValue) throws(NPUError) {
    let reader = try JSONObjectReader(
      json,
      keys: [
        "tokens", "dim", "slots", "input", "seed", "type", "format", "mode", "rounds", "cache",
        "scale",
      ])
    arguments = [
      "tokens": "\(try reader.int("tokens"))", "dim": "\(try reader.int("dim"))",
      "slots": "\(try reader.int("slots"))", "format": try reader.string("format"),
      "input": try reader.string("type"), "quant-mode": "\(try reader.int("mode"))",
    ]
    if try !reader.bool("rounds") { arguments["no-round-scale"] = "true" }
    let file = try reader.value("input")
    if case .null = file.content { input = nil } else { input = try file.requireString("input") }
    guard let seed = try UInt64(reader.string("seed")) else {
      throw NPUError(.internal, "cases.json: a seed is no number")
    }
    self.seed = seed
    digests = [:]
    for name in ["cache", "scale"] {
      digests[name] = try GoldenDigest(reader.object(name, keys: ["crc32", "first", "last"]))
    }
  }

  func inputs() throws(NPUError) -> TensorSet? {
    guard let input else { return nil }
    return try TensorSet.read(Self.path(input))
  }
}
