import NPUKernels
import NPUSim
import Testing

/// The kernels of a Llama block against an oracle that shares no code with them:
/// Tests/Golden/generate_llama.py.
@Suite struct LlamaGoldenTests {
  static let hands = 4

  @Test(arguments: 0..<hands)
  func `every tensor has the words of the oracle`(hand: Int) throws {
    for (index, golden) in try LlamaGolden.all().enumerated() where index % Self.hands == hand {
      // A case is as good on one machine as on another: they take turns.
      let name = ["edge", "ascend-910b-like", "ascend-950-like"][index / Self.hands % 3]
      let run = try golden.one.run(
        on: golden.machine(name), seed: golden.seed, inputs: golden.inputs())
      let faults = KernelRun.faults(run.report)
        .filter { !$0.hasPrefix("N00") || $0.hasPrefix("N004") }
      #expect(faults.isEmpty, "\(golden.one) on \(name): \(faults.prefix(3))")
      let dump = try run.dump()
      for (tensor, digest) in golden.tensors.sorted(by: { $0.key < $1.key }) {
        let words = try #require(dump[tensor], "\(golden.one) has no \(tensor)")
        let found = LlamaGolden.Digest(words)
        #expect(
          found == digest, "\(golden.one) on \(name), \(tensor): \(found), the oracle \(digest)")
      }
    }
  }

  @Test func `the cases cover kernels, lanes, accumulators and explicit values`() throws {
    let cases = try LlamaGolden.all()
    let kernels = [
      "residual_add", "rms_norm", "argmax", "embedding", "cache_store", "rope", "linear", "swiglu",
    ]
    #expect(Set(cases.map(\.one.kernel)) == Set(kernels))
    for kernel in kernels {
      #expect(cases.contains { $0.one.kernel == kernel && $0.input != nil }, "\(kernel)")
    }
    let norms = cases.filter { $0.one.kernel == "rms_norm" }
    #expect(Set(norms.map(\.lanes)) == [4, 32, 64])
    #expect(Set(norms.map { $0.one.arguments["form"] }) == [nil, "llama"])
    for kernel in ["linear", "swiglu"] {
      let products = cases.filter { $0.one.kernel == kernel }
      #expect(Set(products.map(\.accumulator)) == Set(AccumulatorMode.allCases))
    }
    let layers = cases.filter { $0.one.kernel == "linear" }.map(\.one.arguments)
    #expect(Set(layers.map { $0["residual"] }) == [nil, "true"])
    #expect(Set(layers.compactMap { $0["output"] }) == ["bf16", "f32"])
    let tables = cases.filter { $0.one.kernel == "rope" }
    #expect(Set(tables.compactMap { $0.one.arguments["table"] }) == ["bf16", "fp32"])
    #expect(Set(tables.compactMap { $0.one.arguments["layout"] }) == ["interleaved", "half"])
    #expect(tables.contains { $0.one.arguments["scaling"] == "llama3" })
    #expect(tables.contains { $0.one.arguments["first-position"] != nil })
  }
}

/// A case that Tests/Golden/generate_llama.py computed with NumPy, ml_dtypes and mpmath.
struct LlamaGolden: Sendable {
  /// What the oracle says of one tensor: the CRC-32 of its little-endian bytes, and up to four words
  /// from its ends.
  struct Digest: Sendable, Hashable, CustomStringConvertible {
    var crc32: UInt32
    var first: String
    var last: String

    init(crc32: UInt32, first: String, last: String) {
      self.crc32 = crc32
      self.first = first
      self.last = last
    }

    init(_ tensor: Tensor) {
      let (count, size) = (tensor.elementCount, tensor.dtype.byteCount)
      let shown = min(4, count)
      crc32 = CRC32.checksum(tensor.storage)
      first = SoftmaxVSteps.words(tensor.storage, 0, size, count: shown)
      last = SoftmaxVSteps.words(tensor.storage, count - shown, size, count: shown)
    }

    var description: String { "\(first) … \(last) (\(String(crc32, radix: 16)))" }
  }

  var one: KernelCase
  var lanes: Int
  var accumulator: AccumulatorMode
  /// A file of inputs; otherwise they come from the seed.
  var input: String?
  var seed: UInt64
  var tensors: [String: Digest]

  private static func path(_ name: String, source: String = #filePath) -> String {
    let tests = source.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
    return tests.joined(separator: "/") + "/Golden/llama/\(name)"
  }

  /// Every case of cases.json.
  static func all() throws(NPUError) -> [LlamaGolden] {
    let json = try JSONValue.parse(
      FileReader.contents(of: path("cases.json")), file: "cases.json")
    var cases: [LlamaGolden] = []
    for value in try JSONObjectReader(json, keys: ["cases"]).array("cases") {
      cases.append(try LlamaGolden(value))
    }
    return cases
  }

  private init(_ json: JSONValue) throws(NPUError) {
    let reader = try JSONObjectReader(
      json,
      keys: ["kernel", "arguments", "lanes", "accumulator", "input", "seed", "tensors"])
    var arguments: [String: String] = [:]
    for member in try reader.value("arguments").requireMembers("arguments") {
      arguments[member.key] = try member.value.requireString(member.key)
    }
    one = KernelCase(try reader.string("kernel"), arguments)
    lanes = try reader.int("lanes")
    accumulator = try reader.choice("accumulator")
    let file = try reader.value("input")
    if case .null = file.content { input = nil } else { input = try file.requireString("input") }
    guard let seed = try UInt64(reader.string("seed")) else {
      throw NPUError(.internal, "cases.json: a seed is no number")
    }
    self.seed = seed
    tensors = [:]
    for member in try reader.value("tensors").requireMembers("tensors") {
      let digest = try JSONObjectReader(member.value, keys: ["crc32", "first", "last"])
      guard let crc = try UInt32(digest.string("crc32"), radix: 16) else {
        throw NPUError(.internal, "cases.json: a checksum of \(member.key) is no number")
      }
      tensors[member.key] = Digest(
        crc32: crc, first: try digest.string("first"), last: try digest.string("last"))
    }
  }

  /// A preset with the lanes and accumulators of the case.
  func machine(_ name: String) throws(NPUError) -> MachineConfiguration {
    var machine = try Presets.named(name).configuration
    machine.vector.lanes = lanes
    machine.matrix.accumulator = accumulator
    return machine
  }

  func inputs() throws(NPUError) -> TensorSet? {
    guard let input else { return nil }
    return try TensorSet.read(Self.path(input))
  }
}
