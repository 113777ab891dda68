import Foundation
import NPUSim
import Testing

/// Damaged and invented files: each is read or refused with an `NPUError`, never anything else.
@Suite struct TensorFuzzTests {
  private static let mutator = Mutator(words: [
    "0", "1", "-1", "2", "8", "32", "256", "4294967296", "9223372036854775807", "1e3", "2.0", "[",
    "]",
    "{", "}", "(", ")", ",", ":", "'", "\"", " ", "\"dtype\"", "\"shape\"", "\"data_offsets\"",
    "\"F32\"",
    "\"BF16\"", "\"I8\"", "\"__metadata__\":{}", "'descr'", "'<f4'", "'|u1'", "'fortran_order'",
    "True",
    "False", "'shape'", "\"axis\":-1", "\"file\"", "../", "x.npy", "\u{0}\u{0}\u{0}\u{0}",
  ])

  private func pick<Element>(_ items: [Element], _ random: inout SeededGenerator) -> Element {
    items[random.below(items.count)]
  }

  private func read<Value>(
    _ seed: UInt64, allowing categories: [NPUError.Category] = [.tensor],
    _ body: () throws(NPUError) -> Value
  ) -> Value? {
    do throws(NPUError) {
      return try body()
    } catch {
      #expect(categories.contains(error.category), "seed \(seed): \(error)")
      #expect(!error.message.isEmpty, "seed \(seed)")
      return nil
    }
  }

  private func checkSafetensors(_ bytes: [UInt8], _ seed: UInt64) throws -> Bool {
    guard let set = read(seed, { () throws(NPUError) in try Safetensors.decode(bytes, file: "f") })
    else { return false }
    let again = try Safetensors.decode(Safetensors.encode(set), file: "g")
    #expect(Set(again.names) == Set(set.names), "seed \(seed)")
    #expect(again.metadata == set.metadata, "seed \(seed)")
    for name in set.names {
      #expect(again[name] == set[name], "seed \(seed)")
      _ = set.isMX(name) ? read(seed) { () throws(NPUError) in try set.mxTensor(named: name) } : nil
    }
    return true
  }

  @Test func `a damaged safetensors file is read or refused`() throws {
    let seeds = try ["reference.safetensors", "padded.safetensors"].map(GoldenTensors.bytes)
    try Fuzzing.run("safetensors mutation", full: 20_000) { seed, random in
      let whole = pick(seeds, &random)
      // Most damage goes to size and header; the data has little to get wrong.
      let header = Array(whole.prefix(random.below(8) == 0 ? whole.count : 1100))
      var bytes = Self.mutator.mutate(header, using: &random) + whole.dropFirst(header.count)
      if random.below(2) == 0, bytes.count > 8 {
        // Repair the header size, so that the damage behind it is seen.
        let end = bytes.lastIndex(of: UInt8(ascii: "}")) ?? 8
        let size = max(0, min(end, 1100) - 7)
        for index in 0..<8 { bytes[index] = UInt8(truncatingIfNeeded: size >> (8 * index)) }
      }
      _ = try checkSafetensors(bytes, seed)
    }
  }

  /// Headers with foreign types among them: what can be read is, from the file and from a stream alike.
  @Test func `a damaged file on disk and in a stream gives the same tensors or the same refusal`()
    throws
  {
    let folder = try TemporaryFolder()
    let whole = try GoldenTensors.bytes("reference.safetensors")
    let size = whole.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    let path = folder("f")
    var (opened, read) = (0, 0)
    try Fuzzing.run("archive mutation", full: 10_000) { seed, random in
      var text = String(decoding: whole[8..<8 + size], as: UTF8.self)
      for (old, new) in [("\"F16\"", "\"U16\""), ("\"F32\"", "\"U32\""), ("\"I8\"", "\"U8\"")]
      where random.below(2) == 0 {
        text = text.replacingOccurrences(of: old, with: new)
      }
      var header = whole.prefix(8) + Array(text.utf8)
      if random.below(4) != 0 { header = Self.mutator.mutate(Array(header), using: &random)[...] }
      let bytes = Array(header + whole.dropFirst(8 + size))
      try folder.write(bytes, "f")
      func tensors(_ archive: TensorArchive?) -> [TensorArchive.Selection: Tensor]? {
        guard let archive else { return nil }
        let wanted = archive.entries.filter { $0.fault == nil }.compactMap { entry in
          entry.candidates.first.map { TensorArchive.Selection(entry.name, $0) }
        }
        return self.read(seed, allowing: [.tensor, .io]) { () throws(NPUError) in
          try archive.read(Set(wanted))
        }
      }
      let file = self.read(seed) { () throws(NPUError) in try TensorArchive(path) }
      let stream = self.read(seed) { () throws(NPUError) in
        try TensorArchive(stream: ByteStream(path))
      }
      let found = tensors(file)
      #expect(found == tensors(stream), "seed \(seed)")
      opened += file == nil ? 0 : 1
      read += found?.isEmpty == false ? 1 : 0
    }
    #expect(opened > 50 && read > 50)
  }

  @Test func `an invented safetensors file is read or refused`() throws {
    var accepted = 0
    try Fuzzing.run("safetensors structure", full: 20_000) { seed, random in
      var members: [JSONMember] = []
      var offset = 0
      for index in 0..<random.below(4) {
        let dtype = pick(DType.allCases, &random)
        var shape = (0..<random.below(4)).map { _ in random.below(4) }
        if random.below(16) == 0 { shape.append(pick([Int.max, 1 << 32, -1, 1 << 62], &random)) }
        let exact = (try? Tensor.byteCount(dtype, shape)) ?? 0
        let size = exact < 1 << 20 ? exact : 0
        var bounds = [offset, offset &+ size]
        if random.below(8) == 0 {
          bounds[random.below(2)] &+= pick([-1, 1, 4, Int.max, -offset], &random)
        }
        if random.below(24) == 0 { bounds.append(0) }
        offset &+= size
        var entry: [JSONMember] = [
          JSONMember("dtype", .string(random.below(24) == 0 ? "C64" : dtype.rawValue)),
          JSONMember("shape", .array(shape.map { .integer($0) })),
          JSONMember("data_offsets", .array(bounds.map { .integer($0) })),
        ]
        if random.below(24) == 0 { entry.remove(at: random.below(3)) }
        if random.below(24) == 0 { entry.append(JSONMember("extra", .null)) }
        members.append(JSONMember(random.below(24) == 0 ? "" : "t\(index)", .object(entry)))
      }
      if random.below(3) == 0 {
        let value: JSONValue = random.below(8) == 0 ? 1 : "-1"
        members.append(JSONMember("__metadata__", .object([JSONMember("t0.axis", value)])))
      }
      members.shuffle(using: &random)
      let text = JSONValue.object(members).bytes(.compact)
      let size = text.count + (random.below(16) == 0 ? random.below(40) - 20 : 0)
      let count = max(0, offset + (random.below(8) == 0 ? random.below(5) - 2 : 0))
      let bytes =
        (0..<8).map { UInt8(truncatingIfNeeded: size >> (8 * $0)) } + text
        + (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
      if try checkSafetensors(bytes, seed) { accepted += 1 }
    }
    #expect(accepted > 100)
  }

  @Test func `a damaged npy file is read or refused`() throws {
    let names =
      DType.allCases.map { "\($0.rawValue).npy" } + [
        "shape.npy", "shape_0.npy", "shape_7.npy", "version_2.npy", "version_3.npy", "fortran.npy",
        "big_endian.npy", "structured.npy", "F8_E5M2.ml_dtypes.npy",
      ]
    let seeds = try names.map(GoldenTensors.bytes)
    Fuzzing.run("npy mutation", full: 20_000) { seed, random in
      let whole = pick(seeds, &random)
      let header = Array(whole.prefix(random.below(4) == 0 ? whole.count : 128))
      var bytes = Self.mutator.mutate(header, using: &random)
      if random.below(2) == 0, bytes.count > 9, bytes[6] == 1 {
        // Keep the header's size in step with its damage.
        let size = min(bytes.count - 10, max(0, bytes.count - header.count + 118))
        bytes[8] = UInt8(truncatingIfNeeded: size)
        bytes[9] = UInt8(truncatingIfNeeded: size >> 8)
      }
      bytes += whole.dropFirst(header.count)
      let dtype = random.below(2) == 0 ? nil : pick(DType.allCases, &random)
      guard
        let tensor = read(
          seed,
          { () throws(NPUError) in
            try Npy.decode(bytes, file: "f", as: dtype)
          })
      else { return }
      let again = read(seed) { () throws(NPUError) in
        try Npy.decode(Npy.encode(tensor), file: "g", as: tensor.dtype)
      }
      #expect(again == tensor, "seed \(seed)")
      if ![.i32, .i64, .f64].contains(tensor.dtype) {
        #expect((try? tensor.floats().count) == tensor.elementCount, "seed \(seed)")
      }
    }
  }

  @Test func `a damaged manifest is read or refused`() throws {
    let folder = try TemporaryFolder()
    try folder.write(GoldenTensors.bytes("shape_7.npy"), "x.npy")
    try folder.write(GoldenTensors.bytes("I8.npy"), "v.npy")
    try folder.write(GoldenTensors.bytes("F8_E8M0.npy"), "s.npy")
    let manifest = Array(
      """
      {"x": {"file": "x.npy", "dtype": "F32", "shape": [7]},
       "v": {"file": "v.npy", "dtype": "I8", "shape": [2, 4, 32], "axis": -2},
       "v.scale": {"file": "s.npy", "dtype": "F8_E8M0"}, "__metadata__": {"seed": "0"}}
      """.utf8)
    try Fuzzing.run("manifest mutation", full: 10_000) { seed, random in
      try folder.write(Self.mutator.mutate(manifest, using: &random), "manifest.json")
      let path = folder.path
      guard
        let set = read(
          seed, allowing: [.tensor, .io], { () throws(NPUError) in try TensorSet.read(path) })
      else { return }
      #expect(set.count <= 3, "seed \(seed)")
      for name in set.names { _ = try? set.mxTensor(named: name) }
    }
  }
}
