import NPUSim
import Testing

@Suite struct MachineSettingTests {
  private func failure(_ settings: String..., on name: String = "edge") throws -> NPUError {
    let machine = try Presets.named(name)
    let error = #expect(throws: NPUError.self) { try machine.applying(sets: settings) }
    let same = #expect(throws: NPUError.self) {
      try machine.configuration.applying(sets: settings)
    }
    #expect(error == same)
    return try #require(error)
  }

  private func text(_ value: JSONValue) -> String {
    if case .string(let text) = value.content { text } else { value.text(.compact) }
  }

  @Test func `every parameter of every machine can be set to what it is`() throws {
    for description in try Presets.all() {
      let machine = description.configuration
      for parameter in ConfigurationParameter.all {
        let setting = "\(parameter.path)=\(text(parameter.value(in: machine)))"
        #expect(try machine.applying(set: setting) == machine, "\(machine.name): \(setting)")
      }
    }
  }

  @Test func `setting every parameter to another machine's value gives that machine`() throws {
    let all = try Presets.all()
    for source in all {
      for target in all {
        let sets = source.rows.map { "\($0.path)=\($0.value)" }
        let changed = try target.applying(sets: sets)
        #expect(changed.rows.map(\.value) == source.rows.map(\.value))
        #expect(changed.provenance.values.allSatisfy { $0 == .commandLine })
        var machine = changed.configuration
        machine.name = source.configuration.name
        machine.summary = source.configuration.summary
        #expect(machine == source.configuration)
      }
    }
  }

  @Test func `a setting changes one parameter and its provenance, and nothing else`() throws {
    let edge = try Presets.named("edge")
    let changed = try edge.applying(sets: ["matrix.accumulator=fp32"])
    #expect(changed.configuration.matrix.accumulator == .fp32)
    #expect(changed.provenance["matrix.accumulator"] == .commandLine)
    #expect(changed.provenance["matrix.accumulator"]?.kind.rawValue == "set")
    var expected = edge.configuration
    expected.matrix.accumulator = .fp32
    #expect(changed.configuration == expected)
    #expect(changed.rows.filter { $0.provenance == .commandLine }.count == 1)
  }

  @Test func `values may be quoted, unlimited, null or fractions`() throws {
    let edge = try Presets.named("edge").configuration
    #expect(try edge.applying(set: "sfu.mode=\"expu\"").sfuMode == .expu)
    #expect(try edge.applying(set: "sfu.mode=expu").sfuMode == .expu)
    #expect(try edge.applying(set: "queues.depth=unlimited").queueDepth == nil)
    #expect(try edge.applying(set: "memories.ub.banks=null")[.ub].banks == nil)
    let rate = try edge.applying(set: "paths.hbm_to_l1.bytes_per_cycle=1/3")
    #expect(rate[.hbmToL1].rate == Rate(1, over: 3))
    #expect(try edge.applying(set: "queues.interlocks.vector=false").interlocks(.vector) == false)
  }

  @Test func `a parameter that is set twice is refused, and both values are named`() throws {
    let error = try failure("queues.depth=4", "cores=2", "queues.depth=8")
    #expect(error.message == "queues.depth is set twice, by queues.depth=4 and by queues.depth=8")
    #expect(error.hint == "keep one of them")
  }

  @Test func `changing the clock keeps the HBM bandwidth in bytes a second`() throws {
    let edge = try Presets.named("edge").configuration
    let faster = try edge.applying(set: "clock_ghz=1.6")
    #expect(faster.clockHz == 1_600_000_000)
    #expect(faster.hbm.rate == Rate(32))
    #expect(faster[.hbmToL1].rate == edge[.hbmToL1].rate, "a port is paced by the clock")
    let both = try edge.applying(sets: ["hbm.bandwidth_gb_per_s=100", "clock_ghz=2"])
    let other = try edge.applying(sets: ["clock_ghz=2", "hbm.bandwidth_gb_per_s=100"])
    #expect(both == other && both.hbm.rate == Rate(50))
    let error = try failure("clock_ghz=1.234567891")
    #expect(error.message.contains("is not a fraction whose lowest terms are below 2^31"))
    #expect(error.hint == "use a clock with fewer digits")
  }

  @Test func `a setting that names no parameter is refused with the closest path`() throws {
    let typo = try failure("matrix.acumulator=fp32")
    #expect(typo.category == .configuration && typo.location == nil)
    #expect(typo.message == "there is no machine parameter \"matrix.acumulator\"")
    #expect(typo.hint == "did you mean \"matrix.accumulator\"?")
    #expect(try failure("lanes=8").hint == "did you mean \"vector.lanes\"?")
    #expect(try failure("clock=2").hint == "did you mean \"clock_ghz\"?")
    let group = try failure("matrix=1")
    #expect(group.message == "matrix is a group of machine parameters, not one of them")
    #expect(group.hint?.contains("accumulator") == true)
    #expect(try failure("zebra=1").hint?.contains("vector") == true)
    #expect(try failure("=1").message.contains("there is no machine parameter"))
    let bare = try failure("vector.lanes")
    #expect(bare.message == "the setting \"vector.lanes\" has no value")
    #expect(bare.hint == "write path=value, such as matrix.accumulator=fp32")
  }

  @Test func `a value that does not fit is refused as in a file, without a place`() throws {
    let lanes = try failure("vector.lanes=12")
    #expect(
      lanes.message == "vector.lanes is the number 12; it must be a power of two from 1 to 1024")
    #expect(lanes.location == nil)
    let accumulator = try failure("matrix.accumulator=fp33")
    #expect(
      accumulator.message
        == "matrix.accumulator is the string \"fp33\", which is not one of its choices")
    #expect(accumulator.hint == "did you mean \"fp32\"?")
    #expect(try failure("cores=").message.contains("cores is the string \"\""))
    #expect(try failure("cores=two").message.contains("it must be an integer from 1 to 1024"))
    let banks = try failure("memories.ub.banks={\"groups\": 1, \"bank\": 2}")
    #expect(banks.message == "unknown key \"bank\" in memories.ub.banks")
    #expect(banks.location == nil)
  }

  @Test func `only the machine after all settings must be consistent`() throws {
    let error = try failure("memories.ub.bytes=262144")
    #expect(
      error.message
        == "memories.ub.banks has room for 131072 bytes, but memories.ub.bytes is 262144 bytes")
    #expect(error.hint?.contains("null") == true)
    let unlimited = try failure("memories.ub.bytes=unlimited")
    #expect(unlimited.message.hasSuffix("is unlimited bytes"))
    let edge = try Presets.named("edge").configuration
    let machine = try edge.applying(sets: ["memories.ub.bytes=262144", "memories.ub.banks=null"])
    #expect(machine[.ub].bytes == 262_144)
  }

  @Test func `the JSON of a machine has every parameter at its path`() throws {
    for description in try Presets.all() {
      let machine = description.configuration
      let json = try JSONValue.parse(machine.json.bytes(), file: "report")
      #expect(json["name"] == .string(machine.name))
      for parameter in ConfigurationParameter.all {
        var node: JSONValue? = json
        for key in parameter.path.split(separator: ".") { node = node?[String(key)] }
        #expect(node == parameter.value(in: machine), "\(parameter.path)")
      }
    }
    let edge = try Presets.named("edge").configuration.json
    #expect(edge["vector"]?["lanes"] == 32)
    #expect(edge["matrix"]?["accumulator"] == "bf16")
    #expect(edge["hbm"]?["bandwidth_gb_per_s"]?.text(.compact) == "51.2")
    #expect(edge["clock_ghz"] == 1)
  }

  @Test func `parameter paths are unique and each is described`() {
    let paths = ConfigurationParameter.all.map(\.path)
    #expect(Set(paths).count == paths.count)
    #expect(ConfigurationParameter.all.allSatisfy { !$0.summary.isEmpty })
    for kind in VectorClass.allCases { #expect(paths.contains("vector.slopes.\(kind.key)")) }
  }

  @Test func `random settings never crash`() throws {
    let seed: UInt64 = 7_042
    var random = SeededGenerator(seed: seed)
    let edge = try Presets.named("edge").configuration
    let values = [
      "0", "1", "-1", "2", "3", "32", "1e9", "1e19", "0.3", "1/7", "9223372036854775807/1",
      "unlimited", "true", "null", "bf16", "expu", "{}", "[1]", "\"", "=", "{\"groups\":4096}",
      "9999999999999999999999", "1e-9", "1000",
    ]
    var accepted = 0
    for _ in 0..<2000 {
      let parameter = ConfigurationParameter.all[random.below(ConfigurationParameter.all.count)]
      let setting = "\(parameter.path)=\(values[random.below(values.count)])"
      do {
        let machine = try edge.applying(set: setting)
        accepted += 1
        let again = "\(parameter.path)=\(text(parameter.value(in: machine)))"
        #expect(try machine.applying(set: again) == machine, "seed \(seed): \(setting)")
      } catch {
        #expect(error.category == .configuration, "seed \(seed): \(setting)")
      }
    }
    #expect(accepted > 100)
  }
}
