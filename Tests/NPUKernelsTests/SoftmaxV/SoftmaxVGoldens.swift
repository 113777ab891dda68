import NPUKernels
import NPUSim

/// The cases that Tests/Golden/generate_softmax_v.py computed with NumPy, ml_dtypes and mpmath.
struct SoftmaxVGolden: Sendable {
  /// What the oracle says of one tensor.
  struct Digest: Sendable {
    var shape: [Int]
    /// CRC-32 (IEEE 802.3) of the little-endian bytes.
    var crc32: UInt32
    /// Up to four words from the beginning and the end.
    var first: String
    var last: String
  }

  var name: String
  var shape: SoftmaxVShape
  /// A file of inputs; otherwise they come from the seed.
  var input: String?
  var seed: UInt64
  var settings: DatapathSettings
  /// Whether only a full run takes the case.
  var isFullOnly: Bool
  /// A file with every step tensor whole.
  var output: String?
  var tensors: [String: Digest]

  /// A file of Tests/Golden/softmax_v.
  static func path(_ name: String, source: String = #filePath) -> String {
    // …/Tests/NPUKernelsTests/SoftmaxV/SoftmaxVGoldens.swift
    let tests = source.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    return tests.joined(separator: "/") + "/Golden/softmax_v/\(name)"
  }

  /// Every case of cases.json.
  static func all() throws(NPUError) -> [SoftmaxVGolden] {
    let json = try JSONValue.parse(
      FileReader.contents(of: path("cases.json")), file: "cases.json")
    var cases: [SoftmaxVGolden] = []
    for value in try JSONObjectReader(json, keys: ["cases"]).array("cases") {
      cases.append(try SoftmaxVGolden(value))
    }
    return cases
  }

  private init(_ json: JSONValue) throws(NPUError) {
    let reader = try JSONObjectReader(
      json,
      keys: [
        "name", "input", "seed", "shape", "stable", "accumulator", "sfu", "lanes", "full", "output",
        "tensors",
      ])
    name = try reader.string("name")
    input = try Self.text(reader, "input")
    output = try Self.text(reader, "output")
    guard let seed = try UInt64(reader.string("seed")) else {
      throw NPUError(.internal, "\(name): the seed is no 64-bit number")
    }
    self.seed = seed
    let size = try reader.object(
      "shape", keys: ["kv", "heads", "kvHeads", "q", "headDim", "batch"])
    shape = SoftmaxVShape(
      kv: try size.int("kv"), heads: try size.int("heads"), kvHeads: try size.int("kvHeads"),
      queries: try size.int("q"), headDim: try size.int("headDim"), batch: try size.int("batch"),
      isStable: try reader.bool("stable"))
    settings = DatapathSettings(
      lanes: try reader.int("lanes"), accumulator: try reader.choice("accumulator"),
      sfuMode: try reader.choice("sfu"))
    isFullOnly = try reader.bool("full")
    tensors = [:]
    for member in try reader.value("tensors").requireMembers("tensors") {
      let digest = try JSONObjectReader(
        member.value, keys: ["shape", "crc32", "first", "last"])
      var dimensions: [Int] = []
      for dimension in try digest.array("shape") {
        dimensions.append(try dimension.requireInt("shape"))
      }
      guard let crc = try UInt32(digest.string("crc32"), radix: 16) else {
        throw NPUError(.internal, "\(name): the CRC of \(member.key) is no hexadecimal number")
      }
      tensors["softmaxed_v." + member.key] = Digest(
        shape: dimensions, crc32: crc, first: try digest.string("first"),
        last: try digest.string("last"))
    }
  }

  private static func text(_ reader: JSONObjectReader, _ key: String) throws(NPUError) -> String? {
    let value = try reader.value(key)
    if case .null = value.content { return nil }
    return try value.requireString(key)
  }

  /// The default machine with the settings of the case.
  func machine() throws(NPUError) -> MachineConfiguration {
    var machine = try Presets.named("edge").configuration
    machine.vector.lanes = settings.lanes
    machine.matrix.accumulator = settings.accumulator
    machine.sfuMode = settings.sfuMode
    return machine
  }

  func inputs() throws(NPUError) -> [String: TensorValue] {
    guard let input else { return try shape.inputs(seed: seed) }
    return try shape.inputs(TensorSet.read(Self.path(input)))
  }

  /// How steps differ from the oracle's, one line a tensor; empty when no word does.
  func differences(_ steps: SoftmaxVSteps, by maker: String) throws(NPUError) -> [String] {
    var result: [String] = []
    let whole = try output.map { name throws(NPUError) in try TensorSet.read(Self.path(name)) }
    for name in SoftmaxVSteps.order {
      guard let digest = tensors[name], let found = steps.bytes[name] else {
        result.append("\(self.name): \(maker) has no \(name)")
        continue
      }
      let size = SoftmaxVSteps.width(name)
      let count = found.count / size
      if count != digest.shape.reduce(1, *) {
        result.append("\(self.name): \(name) has \(count) elements, needed \(digest.shape)")
        continue
      }
      if let needed = try whole?.tensor(named: name, shape: digest.shape).storage, needed != found {
        let element = (found.indices.first { found[$0] != needed[$0] } ?? 0) / size
        result.append(
          "\(self.name): \(maker) makes \(SoftmaxVSteps.words(found, element, size)) of "
            + "\(name)[\(element)], the oracle \(SoftmaxVSteps.words(needed, element, size))")
        continue
      }
      let shown = min(4, count)
      let first = SoftmaxVSteps.words(found, 0, size, count: shown)
      let last = SoftmaxVSteps.words(found, count - shown, size, count: shown)
      if CRC32.checksum(found) != digest.crc32 || first != digest.first || last != digest.last {
        result.append(
          "\(self.name): \(maker) makes \(first) … \(last) of \(name), the oracle "
            + "\(digest.first) … \(digest.last); the checksums differ")
      }
    }
    return result
  }
}

/// The CRC of IEEE 802.3: polynomial 0xEDB88320 reflected, all ones in and out.
enum CRC32 {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in
      value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1
    }
  }

  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    table.withUnsafeBufferPointer { table in
      ~bytes.reduce(~0) { crc, byte in
        table[Int((crc ^ UInt32(byte)) & 0xFF)] ^ (crc >> 8)
      }
    }
  }
}
