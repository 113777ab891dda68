extension RunReport {
  /// The whole report; a superset of the text. Keys are stable within a ``schema``.
  public func json() -> JSONValue { json }

  /// Reads a report that ``json()`` wrote. Throws `.parse` for JSON that is none, with its place.
  ///
  /// Members that this version does not know are passed over.
  public init(reading json: JSONValue) throws(NPUError) {
    _ = try json.requireMembers("the document")
    let schema = try json["schema"]?.requireString("schema")
    guard schema == Self.schema else {
      let found = schema.map { "schema \(JSONWriter.quoted($0))" } ?? "no schema"
      throw NPUError(
        .parse, "this is no saved run: found \(found), needed \"\(Self.schema)\"",
        at: (json["schema"] ?? json).location, hint: "simctl run KERNEL --json FILE writes one")
    }
    try self.init(json: json, "")
  }
}

extension RunReport: JSONRecord {
  static let blank = RunReport(
    kernel: "", shape: [], schedule: [], seed: 0, machine: .blank, check: .blank, findings: [])

  static let fields = setup + Timing.fields.map(\.ofTiming) + results

  /// What was run, on what, and what was proved of it.
  private static let setup: [JSONField<Self>] = [
    .derived("schema") { _ in .string(Self.schema) },
    JSONField("kernel", \.kernel),
    JSONField("shape") {
      .object($0.shape.map { JSONMember($0.name, .string($0.value)) })
    } read: { report, value, path throws(NPUError) in
      report.shape = try pairs(value, path)
    },
    JSONField("parameters") {
      .object($0.parameters.map { JSONMember($0.name, $0.value.json) })
    } read: { report, value, path throws(NPUError) in
      report.parameters = try pairs(value, path).map {
        TextParameter(name: $0.name, value: $0.value)
      }
    },
    JSONField("machine", \.machine),
    JSONField("schedule") {
      .object($0.schedule.map { JSONMember($0.name, $0.value.json) })
    } read: { report, value, path throws(NPUError) in
      report.schedule = try pairs(value, path)
    },
    .ifAny("order", \.order),
    JSONField("inputs") {
      .object(
        [
          JSONMember("seed", .integer($0.seed)),
          JSONMember("generator_version", .integer(SeededInput.generatorVersion)),
        ] + ($0.inputs?.members ?? []))
    } read: { report, value, path throws(NPUError) in
      let seed = try value["seed"]?.requireNumber("\(path).seed").unsigned
      guard let seed else {
        throw NPUError(.parse, "\(path).seed must be an integer from 0", at: value.location)
      }
      report.seed = seed
      if value["given"] != nil { report.inputs = try Inputs(json: value, path) }
    },
    .derived("verdict") { .string($0.verdict.rawValue) },
    JSONField("fails_on") {
      RunReport.value($0.failing)
    } read: { report, value, path throws(NPUError) in
      report.failing = Set(try [FindingKind.Severity](json: value, path))
    },
    JSONField("hazards_allowed", \.allowsHazards),
    JSONField("proof", \.check),
  ]

  /// What came of it, but for cycles.
  private static let results: [JSONField<Self>] = [
    .derived("try") { report in
      report.timing.map { timing in
        .array(
          Advice.sentences(timing, cores: report.machine.cores).map {
            ["what": .string($0), "cycles": .null, "command": .null]
          })
      }
    },
    .ifAny("bytes", \.traffic),
    JSONField("macs") {
      ($0.traffic?.macs).map(\.json)
    } read: { report, value, path throws(NPUError) in
      if report.traffic != nil { report.traffic?.macs = try Int64(json: value, path) }
    },
    JSONField("numerics") { report in
      report.numerics.map { .object(report.compared + $0.members) }
    } read: { report, value, path throws(NPUError) in
      report.numerics = try Numerics?(json: value, path)
    },
    .ifAny("expect", \.expectation), .ifAny("minimise", \.minimisation),
    .ifAny("jitter", \.jitter), JSONField("mended_together", \.jointTrial),
    JSONField("findings", \.findings),
  ]

  /// What the words were compared with.
  private var compared: [JSONMember] {
    let compared = [
      numerics?.isBitExact.map { _ in "reference" }, expectation.map { _ in "expect" },
    ]
    return [JSONMember("compared_with", .array(compared.compactMap { $0 }.map { .string($0) }))]
  }

  /// The severities that make the verdict `findings`.
  static func value(_ failing: Set<FindingKind.Severity>) -> JSONValue {
    .array(FindingKind.Severity.allCases.filter(failing.contains).map { .string($0.rawValue) })
  }

  /// The members of an object whose keys are names.
  private static func pairs<Value: JSONConvertible>(
    _ value: JSONValue, _ path: String
  ) throws(NPUError) -> [(name: String, value: Value)] {
    var result: [(name: String, value: Value)] = []
    for member in try value.requireMembers(path) {
      result.append((member.key, try Value(json: member.value, "\(path).\(member.key)")))
    }
    return result
  }
}

extension TextParameter.Value: JSONConvertible {
  var json: JSONValue {
    switch self {
    case .whole(let number): .integer(number)
    case .real(let number): .double(number)
    }
  }

  /// A number without a point or an exponent is whole.
  init(json: JSONValue, _ path: String) throws(NPUError) {
    let number = try json.requireNumber(path)
    if let whole = Int64(number.text) { self = .whole(whole) } else { self = .real(number.double) }
  }
}
