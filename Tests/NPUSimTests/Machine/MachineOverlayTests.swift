import NPUSim
import Testing

/// Descriptions that say what is different from a built-in machine, and bare values.
@Suite struct MachineOverlayTests {
  private func parse(_ text: String, file: String = "mine.json") throws -> MachineDescription {
    try MachineDescription.parse(json: text, file: file)
  }

  private func failure(_ text: String) -> NPUError? {
    MachineDescription.problems(json: Array(text.utf8), file: "mine.json").first
  }

  @Test func `a base and one value are a machine, which only that value tells from its base`()
    throws
  {
    let machine = try parse(#"{"base": "edge", "vector": {"lanes": 64}}"#)
    let edge = try Presets.named("edge")
    var needed = try edge.configuration.applying(set: "vector.lanes=64")
    #expect(machine.configuration.name == "mine")
    #expect(machine.configuration.summary == "edge with changes")
    needed.name = machine.configuration.name
    needed.summary = machine.configuration.summary
    #expect(machine.configuration == needed)
    #expect(machine.settings == 1)
    for row in machine.rows {
      let isSet = row.path == "vector.lanes"
      #expect(
        row.provenance == (isSet ? Provenance(.overridden, "mine.json") : edge.provenance[row.path])
      )
    }
  }

  @Test func `values may be stated with their provenance, and a name given`() throws {
    let machine = try parse(
      """
      {"base": "tiny", "name": "other", "summary": "one more", "hbm": {"burst":
        {"value": 64, "provenance": "published", "source": "a data sheet"}}}
      """)
    #expect(machine.configuration.name == "other" && machine.configuration.summary == "one more")
    #expect(machine.configuration.hbm.burst == 64)
    #expect(machine.provenance["hbm.burst"] == Provenance(.published, "a data sheet"))
    #expect(machine.settings == 0)
  }

  @Test func `the name of a file that is no plain name is not taken over`() throws {
    for file in ["standard input", "/dev/fd/63", "a\u{1B}[31m.json", ".json"] {
      #expect(try parse(#"{"base": "tiny"}"#, file: file).configuration.name == "tiny")
    }
    #expect(try parse(#"{"base": "tiny"}"#, file: "a/b.json").configuration.name == "b")
  }

  /// What `config show --set … --json` and the reports of runs have.
  @Test func `the effective values of every machine are a description of it`() throws {
    for name in Presets.names {
      for set in ["vector.lanes=2", "hbm.bytes=unlimited", "clock_ghz=0.7", "core.barrier=7"] {
        let machine = try Presets.named(name).applying(sets: [set]).configuration
        let read = try parse(machine.json.text())
        #expect(read.configuration == machine, "\(name) \(set)")
        #expect(read.settings == ConfigurationParameter.all.count)
      }
    }
  }

  @Test func `bare banks are an object or null, as they are shown`() throws {
    let banks = #"{"groups": 1, "banks": 2, "bytes": 1048576}"#
    let machine = try parse(#"{"base": "edge", "memories": {"ub": {"banks": \#(banks)}}}"#)
    #expect(machine.configuration[.ub].banks?.bytesPerBank == 1_048_576)
    let none = try parse(
      #"{"base": "edge", "memories": {"ub": {"banks": null, "bytes": "unlimited"}}}"#)
    #expect(none.configuration[.ub].banks == nil && none.configuration[.ub].bytes == nil)
    let wrong = failure(
      #"{"base": "edge", "memories": {"ub": {"banks": {"groups": 0, "banks": 2, "bytes": 1}}}}"#)
    #expect(wrong?.message.hasPrefix("memories.ub.banks.groups is the number 0") == true)
  }

  @Test func `changing the clock of a base keeps the HBM bandwidth in bytes a second`() throws {
    let machine = try parse(#"{"base": "ascend-910b-like", "clock_ghz": 0.925}"#)
    let row = machine.rows.first { $0.path == "hbm.bandwidth_gb_per_s" }
    #expect(row?.value == "1420")
  }

  static let faults: [(text: String, message: String, hint: String)] = [
    (
      #"{"base": "edeg"}"#, #"base is the string "edeg"; it must be a built-in machine: edge, "#,
      #"did you mean "edge"?"#
    ),
    (
      #"{"base": "other.json"}"#,
      #"base is the string "other.json"; it must be a built-in machine"#,
      "a base cannot be another file"
    ),
    (#"{"base": 7}"#, "base is the number 7; it must be a built-in machine", ""),
    (
      #"{"base": "edge", "vector": {"lane": 64}}"#, #"unknown key "lane" in vector"#,
      #"did you mean "lanes"?"#
    ),
    (
      #"{"base": "edge", "vectr": {}}"#, #"unknown key "vectr""#, #"did you mean "vector"?"#
    ),
    (
      #"{"base": "edge", "vector": {"lanes": 63}}"#, "vector.lanes is the number 63; it must be a",
      ""
    ),
    (
      #"{"base": "edge", "vector": {"lanes": {"value": 64}}}"#,
      #"the key "provenance" is missing in vector.lanes"#, "names a base"
    ),
    (
      #"{"base": "edge", "memories": {"ub": {"bytes": 4, "banks": {"groups": 1, "banks": 1, "bytes": 2}}}}"#,
      "memories.ub.banks has room for 2 bytes, but memories.ub.bytes is 4 bytes", ""
    ),
    (#"{"bas": "edge"}"#, #"unknown key "bas""#, ""),
    (#"{"vector": {"lanes": 64}}"#, #"the key "name" is missing"#, #"{"base": "edge", …}"#),
  ]

  @Test(arguments: faults)
  func `each fault of an overlay is named and located`(
    _ fault: (text: String, message: String, hint: String)
  ) throws {
    let problems = MachineDescription.problems(json: Array(fault.text.utf8), file: "mine.json")
    let error = try #require(problems.first { $0.message.hasPrefix(fault.message) }, "\(problems)")
    #expect(error.category == .configuration)
    #expect(error.location?.file == "mine.json")
    #expect(fault.hint.isEmpty || error.hint?.contains(fault.hint) == true, "\(error)")
  }
}
