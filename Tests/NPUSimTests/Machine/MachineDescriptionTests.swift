import NPUSim
import Testing

/// What a strict reader says about a description that is not valid. Each test edits the text of
/// `tiny`, so that everything else in it is right.
@Suite struct MachineDescriptionTests {
  /// The description with the first occurrence of a text replaced.
  private func edited(
    _ find: String, _ replacement: String, in text: String? = nil
  ) throws -> String {
    let text = try text ?? #require(Presets.text(named: "tiny"))
    let range = try #require(text.firstRange(of: find), "\(find) is not in the description")
    return text.replacingCharacters(in: range, with: replacement)
  }

  private func failure(_ text: String) throws -> NPUError {
    let error = #expect(throws: NPUError.self) {
      try MachineDescription.parse(json: text, file: "m.json")
    }
    return try #require(error)
  }

  private func leaf(_ value: String) -> String {
    "{\"value\": \(value), \"provenance\": \"assumed\", \"source\": \"test\"}"
  }

  /// `tiny` with the value of one parameter replaced, found by its path.
  private func text(_ path: String, _ value: String) throws -> String {
    let keys = path.split(separator: ".").map(String.init)
    let text = try #require(Presets.text(named: "tiny"))
    var start = text.startIndex
    for key in keys {
      let range = try #require(text[start...].firstRange(of: "\"\(key)\": "))
      start = range.upperBound
    }
    let marker = try #require(text[start...].firstRange(of: "\"value\": "))
    let end = try #require(text[marker.upperBound...].firstRange(of: ", \"provenance\""))
    return text[..<marker.upperBound] + value + text[end.lowerBound...]
  }

  @Test func `values, provenance and sources are read`() throws {
    let tiny = try Presets.named("tiny")
    #expect(tiny.configuration.vector.lanes == 4)
    #expect(tiny.provenance["vector.lanes"]?.kind == .assumed)
    let machine = try Presets.named("ascend-910b-like")
    #expect(machine.provenance["clock_ghz"]?.kind == .published)
    #expect(machine.provenance["vector.slopes.add"]?.kind == .measured)
    #expect(machine.provenance["vector.slopes.add"]?.source.contains("VADD_FP32") == true)
    let row = try #require(machine.rows.first { $0.path == "hbm.bandwidth_gb_per_s" })
    #expect(row.value == "1420" && row.unit == "GB/s" && row.provenance.kind == .published)
  }

  @Test func `a description of version 0.1.0 is a machine without the rules that came later`()
    throws
  {
    let text = try #require(Presets.text(named: "tiny"))
    let later = [
      "\"forward_tiles\"", "\"read_after_write\"", "\"pairs\"", "\"fused_pairs\"", "\"overwrite\"",
    ]
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    lines.removeAll { line in later.contains { line.contains($0) } }
    let path = try #require(lines.firstIndex { $0.contains("\"acc_to_l1\"") })
    lines.removeSubrange(path..<(path + 4))
    // What is last in its object has no comma behind it.
    for index in lines.indices.dropLast()
    where lines[index + 1].hasPrefix("  }") && lines[index].hasSuffix("},") {
      lines[index].removeLast()
    }
    let old = lines.joined(separator: "\n").replacing("\"full\"", with: "true")
    #expect(old.utf8.count < text.utf8.count - 200)
    let machine = try MachineDescription.parse(json: old, file: "m.json")
    var expected = try Presets.named("tiny").configuration
    expected.paths[TransferPath.accToL1.index] = .init(
      rate: .unlimited, latency: 0, isPresent: false)
    #expect(machine.configuration == expected)
    #expect(
      machine.provenance["matrix.forward_tiles"]
        == Provenance(.assumed, "not stated: the rule of version 0.1.0"))
    #expect(
      machine.provenance["paths.acc_to_l1.bytes_per_cycle"]
        == Provenance(.assumed, "not stated: the rule of version 0.1.0"))
    // Stated in part is not stated.
    #expect(throws: NPUError.self) {
      try MachineDescription.parse(
        json: text.replacing("\"acc_to_l1\": {", with: "\"acc_to_l1\": {\"rate\": 1,"),
        file: "m.json")
    }
  }

  @Test func `an unknown key is located and the meant one offered`() throws {
    let error = try failure(edited("\"lanes\"", "\"lane\""))
    #expect(error.category == .configuration)
    #expect(error.message == "unknown key \"lane\" in vector")
    #expect(error.hint == "did you mean \"lanes\"?")
    #expect(error.location == SourceLocation(file: "m.json", line: 25, column: 5, length: 6))
    let extra = try failure(edited("\"cores\"", "\"colour\": 1,\n\"cores\""))
    #expect(extra.message == "unknown key \"colour\"")
    let inLeaf = try failure(edited("\"source\"", "\"sources\""))
    #expect(inLeaf.message == "unknown key \"sources\" in clock_ghz")
    #expect(inLeaf.hint == "did you mean \"source\"?")
  }

  @Test func `a missing key is named`() throws {
    let text = try edited("\"alignment\": {\"value\": 4, ", "\"alignment\": {")
    let error = try failure(text)
    #expect(error.message == "the key \"value\" is missing in memories.l1.alignment")
    #expect(error.location?.file == "m.json")
    #expect(
      try failure("{}").message == "the key \"name\" is missing")
  }

  @Test func `all problems of a description are collected in its order`() throws {
    let first = try edited("\"lanes\"", "\"lane\"")
    let both = try edited("\"depth\": {\"value\": 4", "\"depth\": {\"value\": 0", in: first)
    let problems = MachineDescription.problems(json: Array(both.utf8), file: "m.json")
    #expect(
      problems.map(\.message) == [
        "unknown key \"lane\" in vector",
        "queues.depth is the number 0; it must be an integer from 1 to 1000000, or \"unlimited\"",
      ])
    let empty = MachineDescription.problems(json: Array("{}".utf8), file: "m.json")
    #expect(empty.count == 13)
  }

  @Test(arguments: [
    ("vector.lanes", "12", "vector.lanes is the number 12; it must be a power of two from 1 to"),
    ("vector.lanes", "0", "it must be a power of two"),
    ("vector.lanes", "-4", "it must be a power of two"),
    ("vector.lanes", "2.5", "it must be a power of two"),
    ("vector.lanes", "\"4\"", "vector.lanes is the string \"4\"; it must be a power of two"),
    ("vector.lanes", "null", "vector.lanes is null; it must be a power of two"),
    ("memories.ub.alignment", "24", "memories.ub.alignment is the number 24; it must be a power"),
    ("memories.ub.bytes", "0", "an integer from 1 to 1099511627776, or \"unlimited\""),
    ("memories.ub.bytes", "1e30", "memories.ub.bytes is the number 1e30; it must be an integer"),
    ("memories.ub.banks", "7", "it must be null or an object with groups, banks and bytes"),
    ("memories.ub.banks", "{\"groups\": 1}", "the key \"banks\" is missing in memories.ub.banks"),
    ("matrix.k0", "16", "matrix.k0 is the number 16; it must be a multiple of 32 from 32 to 4096"),
    ("matrix.k0", "48", "it must be a multiple of 32"),
    ("matrix.m0", "0", "matrix.m0 is the number 0; it must be an integer from 1 to 4096"),
    ("matrix.kind", "\"cubic\"", "matrix.kind is the string \"cubic\", which is not one of its"),
    ("matrix.accumulator", "32", "matrix.accumulator is the number 32; it must be a string"),
    ("matrix.latency", "-1", "matrix.latency is the number -1; it must be an integer from 0 to"),
    ("cores", "0", "cores is the number 0; it must be an integer from 1 to 1024"),
    ("queues.depth", "0", "it must be an integer from 1 to 1000000, or \"unlimited\""),
    ("queues.interlocks.load", "1", "queues.interlocks.load is the number 1; it must be a string"),
    (
      "queues.interlocks.load", "\"half\"",
      "is the string \"half\", which is not one of its choices"
    ),
    ("matrix.forward_tiles", "0", "it must be an integer from 1 to 1000000, or \"unlimited\""),
    ("hbm.read_after_write", "true", "hbm.read_after_write is true; it must be a string"),
    ("events.per_pair", "65536", "it must be an integer from 1 to 65535, or \"unlimited\""),
    ("clock_ghz", "0", "clock_ghz is the number 0; it must be a number from 0.000000001 to 1000"),
    ("clock_ghz", "1.0000000001", "with at most nine decimals"),
    ("hbm.bandwidth_gb_per_s", "-1", "it must be a number from 0.000000001 to 1000000, or"),
    ("hbm.bandwidth_gb_per_s", "1234567.123456789", "it must be a number from 0.000000001 to"),
    ("hbm.bandwidth_gb_per_s", "51.234567891", "in bytes per cycle of this clock is not a"),
    ("paths.ub_to_l1.bytes_per_cycle", "0", "it must be a positive number (or a fraction such"),
    ("paths.ub_to_l1.bytes_per_cycle", "\"1/0\"", "it must be a positive number"),
    ("paths.ub_to_l1.bytes_per_cycle", "3000000000", "whose lowest terms are below 2^31"),
  ])
  func `a value that does not fit is named, located and told what is needed`(
    path: String, value: String, message: String
  ) throws {
    let text = try text(path, value)
    let error = try failure(text)
    #expect(error.category == .configuration)
    #expect(error.message.contains(message), "\(error.message)")
    let location = try #require(error.location)
    let line = text.split(separator: "\n", omittingEmptySubsequences: false)[location.line - 1]
    #expect(line.contains("\"value\": \(value)"), "the place is on another line: \(line)")
  }

  @Test func `provenance and source are required and limited to the known kinds`() throws {
    let kind = try failure(edited("\"assumed\"", "\"guessed\""))
    #expect(
      kind.message
        == "clock_ghz.provenance is the string \"guessed\"; it must be one of published, measured, "
        + "assumed")
    #expect(try failure(edited("\"assumed\"", "\"set\"")).message.contains("clock_ghz.provenance"))
    let source = try failure(edited("\"chosen to be checked by hand\"", "\"\""))
    #expect(source.message.hasPrefix("clock_ghz.source is the string \"\""))
    #expect(try failure(edited("\"tiny\"", "7")).message.hasPrefix("name is the number 7"))
  }

  @Test func `a group that is no object, and a document that is none, are refused`() throws {
    let group = try failure("{\"matrix\": 3}")
    #expect(
      MachineDescription.problems(json: Array("{\"matrix\": 3}".utf8), file: "m").contains {
        $0.message == "matrix is the number 3; it must be an object"
      })
    #expect(group.category == .configuration)
    #expect(try failure("[]").message.contains("it must be an object"))
    let syntax = try failure("{\"name\": }")
    #expect(syntax.category == .configuration && syntax.location?.line == 1)
  }

  @Test func `banks must cover their memory`() throws {
    let text = try text("memories.ub.banks", "{\"groups\": 2, \"banks\": 2, \"bytes\": 128}")
    let error = try failure(text)
    #expect(
      error.message
        == "memories.ub.banks has room for 512 bytes, but memories.ub.bytes is 1024 bytes")
    #expect(error.location != nil)
    let fits = try self.text(
      "memories.ub.banks", "{\"groups\": 2, \"banks\": 2, \"bytes\": 256}")
    let machine = try MachineDescription.parse(json: fits, file: "m.json").configuration
    #expect(machine[.ub].banks == .init(groups: 2, banksPerGroup: 2, bytesPerBank: 256))
  }

  @Test func `rates are exact`() throws {
    for (value, rate) in [
      ("51.2", Rate(256, over: 5)), ("\"256/5\"", Rate(256, over: 5)), ("1e2", Rate(100)),
      ("0.125", Rate(1, over: 8)), ("\"unlimited\"", .unlimited),
      ("\"28400/37\"", Rate(28400, over: 37)),
    ] {
      let text = try text("paths.hbm_to_l1.bytes_per_cycle", value)
      let machine = try MachineDescription.parse(json: text, file: "m.json").configuration
      #expect(machine[.hbmToL1].rate == rate, "\(value)")
    }
  }

  @Test func `a damaged description never crashes the reader`() throws {
    let seed: UInt64 = 20_261_121
    var random = SeededGenerator(seed: seed)
    let names = Presets.names
    let tokens = [
      "null", "-1", "0", "1e308", "9223372036854775808", "\"unlimited\"", "{}", "[]", "true",
      "\"1/3\"", "0.1", "\"\"", "18446744073709551616", "1e-300",
    ]
    for round in 0..<seededCount(1000) {
      let name = names[random.below(names.count)]
      var bytes = Array(try #require(Presets.text(named: name)).utf8)
      for _ in 0...random.below(3) {
        let at = random.below(bytes.count)
        switch random.below(4) {
        case 0: bytes[at] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes.remove(at: at)
        case 2: bytes.removeSubrange(at..<min(bytes.count, at + 1 + random.below(200)))
        default:
          // A value somewhere after `at` becomes another one.
          let marker = Array("\"value\": ".utf8)
          guard
            let start = bytes.indices.dropFirst(at).first(where: {
              bytes[$0...].starts(with: marker)
            }), let end = bytes[(start + marker.count)...].firstIndex(of: UInt8(ascii: ","))
          else { continue }
          bytes.replaceSubrange(
            (start + marker.count)..<end, with: tokens[random.below(tokens.count)].utf8)
        }
      }
      let problems = MachineDescription.problems(json: bytes, file: "m.json")
      for problem in problems {
        #expect(problem.category == .configuration, "seed \(seed), round \(round): \(problem)")
        #expect(!problem.message.isEmpty, "seed \(seed), round \(round)")
      }
    }
  }
}
