import NPUKernels
import NPUSim

/// A case that Tests/Golden/generate_flash_attention.py computed with NumPy, ml_dtypes and mpmath.
struct FlashGolden: Sendable {
  /// CRC-32 of a tensor's little-endian bytes, and up to four words from its ends.
  struct Digest: Sendable {
    var crc32: UInt32
    var first: String
    var last: String
  }

  var one: FlashCase
  /// Keys of a tile: part of the definition.
  var tile: Int
  var lanes: Int
  var sfuMode: SFUMode
  /// A file of inputs; otherwise they come from the seed.
  var input: String?
  var seed: UInt64
  var isUnfused: Bool
  /// Queries of a tile, where NaN and infinities of V make it part of the definition.
  var tileQ: Int?
  var tensors: [String: Digest]

  private static func path(_ name: String, source: String = #filePath) -> String {
    let tests = source.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    return tests.joined(separator: "/") + "/Golden/flash_attention/\(name)"
  }

  /// Every case of cases.json.
  static func all() throws(NPUError) -> [FlashGolden] {
    let json = try JSONValue.parse(
      FileReader.contents(of: path("cases.json")), file: "cases.json")
    var cases: [FlashGolden] = []
    for value in try JSONObjectReader(json, keys: ["cases"]).array("cases") {
      cases.append(try FlashGolden(value))
    }
    return cases
  }

  private init(_ json: JSONValue) throws(NPUError) {
    let reader = try JSONObjectReader(
      json,
      keys: [
        "q", "kv", "heads", "kv-heads", "head-dim", "batch", "causal", "window", "kv-format",
        "splits", "page", "tile", "accumulator", "sfu", "lanes", "seed", "input", "unfused",
        "tile-q", "tensors",
      ])
    one = FlashCase(
      try reader.int("q"), try reader.int("kv"), heads: try reader.int("heads"),
      kvHeads: try reader.int("kv-heads"), d: try reader.int("head-dim"))
    one.batch = try reader.int("batch")
    one.isCausal = try reader.bool("causal")
    let window = try reader.int("window")
    one.window = window > 0 ? window : nil
    one.format = try reader.string("kv-format")
    one.splits = try reader.int("splits")
    let page = try reader.int("page")
    one.page = page > 0 ? page : nil
    one.accumulator = try reader.choice("accumulator")
    tile = try reader.int("tile")
    lanes = try reader.int("lanes")
    sfuMode = try reader.choice("sfu")
    isUnfused = try reader.bool("unfused")
    let rows = try reader.int("tile-q")
    tileQ = rows > 0 ? rows : nil
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
        throw NPUError(.internal, "cases.json: the CRC of \(member.key) is no number")
      }
      tensors[member.key] = Digest(
        crc32: crc, first: try digest.string("first"), last: try digest.string("last"))
    }
  }

  /// A machine with the settings of the case.
  func machine(_ name: String) throws(NPUError) -> MachineConfiguration {
    var machine = try one.machine(name, cores: 1)
    machine.vector.lanes = lanes
    machine.sfuMode = sfuMode
    return machine
  }

  /// The fields of the schedule that are part of the definition.
  var schedule: String { "tile.kv=\(tile)" + (tileQ.map { ",tile.q=\($0)" } ?? "") }

  func inputs() throws(NPUError) -> TensorSet? {
    guard let input else { return nil }
    return try TensorSet.read(Self.path(input))
  }

  /// What is wrong with a run, its words included.
  func faults(_ run: Run) -> [String] {
    // The inputs that no seed gives are not finite, or do not stay so.
    let faults = FlashCase.faults(run.report).filter { input == nil || !$0.hasPrefix("N001") }
    do throws(NPUError) {
      return faults + differences(try run.dump())
    } catch {
      return faults + [error.message]
    }
  }

  /// How the tensors of a dump differ from the oracle's, one line each.
  func differences(_ dump: TensorSet) -> [String] {
    tensors.sorted { $0.key < $1.key }.compactMap { name, digest in
      guard let tensor = dump[name] else { return "\(name) is missing" }
      let size = tensor.dtype.byteCount
      let bytes = tensor.storage
      let count = bytes.count / size
      let shown = min(4, count)
      let first = SoftmaxVSteps.words(bytes, 0, size, count: shown)
      let last = SoftmaxVSteps.words(bytes, count - shown, size, count: shown)
      let isSame =
        CRC32.checksum(bytes) == digest.crc32 && first == digest.first && last == digest.last
      return isSame
        ? nil : "\(name): \(first) … \(last), the oracle \(digest.first) … \(digest.last)"
    }
  }
}
