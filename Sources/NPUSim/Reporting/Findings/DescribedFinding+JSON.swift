extension FindingCode: JSONConvertible {}
extension FindingKind.Severity: JSONConvertible {}

extension RunReport.Described: JSONRecord {
  static let blank = Self(
    code: .N004, severity: .error, message: "", sites: [], sets: 0, pairs: [], fix: "", folded: 0,
    cores: 1)

  static let fields: [JSONField<Self>] = [
    JSONField("code", \.code), JSONField("severity", \.severity),
    .derived("title") { .string($0.code.title) },
    JSONField("message", \.message), JSONField("sites", \.sites),
    JSONField("declaration", \.declaration), JSONField("buffer", \.buffer),
    JSONField("bytes", \.bytes), JSONField("manifests", \.manifests),
    JSONField("spare_cycles") {
      ($0.spare?.printed).json
    } read: { finding, value, path throws(NPUError) in
      finding.spare = try Int64?(json: value, path).map {
        Finding.Spare(printed: $0, least: $0, showing: 0)
      }
    },
    JSONField("least_spare_cycles") {
      ($0.spare?.least).json
    } read: { finding, value, path throws(NPUError) in
      if finding.spare != nil { finding.spare?.least = try Int64(json: value, path) }
    },
    JSONField("sets", \.sets),
    JSONField("sets_too_early") {
      ($0.spare?.showing).json
    } read: { finding, value, path throws(NPUError) in
      if finding.spare != nil { finding.spare?.showing = try Int(json: value, path) }
    },
    JSONField("likely_cause", \.likelyCause), JSONField("pairs", \.pairs),
    JSONField("missing", \.missing), JSONField("fix", \.fix), JSONField("trial", \.trial),
    JSONField("folded", \.folded), JSONField("cores", \.cores),
  ]
}

extension RunReport.Described.Pair: JSONRecord {
  static let blank = Self(code: .H001, first: .blank, second: .blank, races: 0)

  static let fields: [JSONField<Self>] = [
    JSONField("code", \.code), JSONField("first", \.first), JSONField("second", \.second),
    JSONField("races", \.races), JSONField("showing", \.showing),
  ]
}

extension RunReport.Described.NamedBuffer: JSONRecord {
  static let blank = Self(name: "", space: .hbm)

  static let fields: [JSONField<Self>] = [
    JSONField("name", \.name),
    JSONField("memory") {
      .string($0.space.name)
    } read: { buffer, value, path throws(NPUError) in
      let name = try value.requireString(path)
      guard let space = Space(name: name) else {
        throw NPUError(
          .parse, "\(path) is \(value.summary), which is no memory", at: value.location,
          hint: DidYouMean.hint(for: name, among: Space.allCases.map(\.name)))
      }
      buffer.space = space
    },
  ]
}

extension FixTrial: JSONRecord {
  static let blank = FixTrial(cyclesBefore: nil, cyclesAfter: nil, removesFinding: false)

  static let fields: [JSONField<Self>] = [
    JSONField("cycles_before", \.cyclesBefore), JSONField("cycles_after", \.cyclesAfter),
    .derived("cost_cycles") { $0.cost.json },
    JSONField("removes_finding", \.removesFinding),
    JSONField("missing_event_ids", \.missingIdentifiers),
  ]
}

extension FindingPlace: JSONRecord {
  static let blank = FindingPlace(text: "", queue: "", scope: "")

  static let fields: [JSONField<Self>] = [
    JSONField("text", \.text), JSONField("queue", \.queue), JSONField("scope", \.scope),
    JSONField("file") {
      ($0.location?.file).json
    } read: { place, value, path throws(NPUError) in
      place.location = try String?(json: value, path).map {
        SourceLocation(file: $0, line: 1, column: 1)
      }
    },
    JSONField("line") {
      ($0.location?.line).json
    } read: { place, value, path throws(NPUError) in
      if place.location != nil { place.location?.line = try Int(json: value, path) }
    },
    JSONField("column") {
      ($0.location?.column).json
    } read: { place, value, path throws(NPUError) in
      if place.location != nil { place.location?.column = try Int(json: value, path) }
    },
    JSONField("iterations", \.turns), JSONField("excerpt", \.line),
  ]
}

extension RunReport.Described.Site: JSONRecord {
  static let blank = Self(site: .init(core: 0, op: 0), place: .blank)

  private static let head: [JSONField<Self>] = [
    JSONField("core", \.site.core), JSONField("op", \.site.op),
  ]
  private static let tail: [JSONField<Self>] = [
    JSONField("start") {
      ($0.time?.start).json
    } read: { site, value, path throws(NPUError) in
      site.time = try Int64?(json: value, path).map { .init(start: $0, free: $0, visible: $0) }
    },
    JSONField("free") {
      ($0.time?.free).json
    } read: { site, value, path throws(NPUError) in
      if site.time != nil { site.time?.free = try Int64(json: value, path) }
    },
    JSONField("visible") {
      ($0.time?.visible).json
    } read: { site, value, path throws(NPUError) in
      if site.time != nil { site.time?.visible = try Int64(json: value, path) }
    },
  ]
  /// The members of the place stand among those of the site.
  static let fields: [JSONField<Self>] =
    head
    + FindingPlace.fields.map { field in
      JSONField(field.key) {
        field.write($0.place)
      } read: { site, value, path throws(NPUError) in
        try field.read(&site.place, value, path)
      }
    } + tail
}
