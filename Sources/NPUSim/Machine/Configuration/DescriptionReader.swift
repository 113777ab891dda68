/// Walks the JSON of a machine description along the schema and collects every problem.
///
/// With a `base`, a built-in machine, the description says only what is different from it. A value is
/// stated with its provenance and source, or bare: then it is one that somebody has set.
struct DescriptionReader {
  let file: String
  private(set) var problems: [NPUError] = []
  private var configuration = MachineConfiguration.blank
  private var provenance: [String: Provenance] = [:]
  private var places: [String: SourceLocation] = [:]
  /// Whether there is a base, which has what the description leaves out.
  private var hasBase = false

  init(file: String) { self.file = file }

  /// The description, or `nil` when ``problems`` says why not.
  mutating func read(_ json: [UInt8]) -> MachineDescription? {
    let root: JSONValue
    do {
      root = try JSONValue.parse(json, file: file, category: .configuration)
    } catch {
      problems.append(error)
      return nil
    }
    guard case .object(let members) = root.content else {
      problems.append(.mismatch(root, "the machine description", "an object"))
      return nil
    }
    if let base = root["base"] { readBase(base) }
    for member in members where member.key == "name" || member.key == "summary" {
      readText(member)
    }
    walk(root, path: "", parameters: ConfigurationParameter.all[...])
    if problems.isEmpty {
      for problem in configuration.inconsistencies() {
        var error = problem.error
        error.location = places[problem.path]
        problems.append(error)
      }
    }
    problems.sort { $0.sortKey < $1.sortKey }
    guard problems.isEmpty else { return nil }
    return MachineDescription(configuration: configuration, provenance: provenance)
  }

  /// Starts from a built-in machine, under the name of the file.
  private mutating func readBase(_ value: JSONValue) {
    hasBase = true
    guard case .string(let name) = value.content, let text = Presets.text(named: name),
      let base = try? MachineDescription.parse(json: text, file: "\(name).json")
    else {
      var problem = NPUError.mismatch(
        value, "base", "a built-in machine: \(Presets.names.joined(separator: ", "))")
      if case .string(let name) = value.content {
        problem.hint =
          DidYouMean.suggest(name, among: Presets.names).map { "did you mean \"\($0)\"?" }
          ?? "a base cannot be another file; put its values into this one"
      }
      problems.append(problem)
      return
    }
    configuration = base.configuration
    provenance = base.provenance
    configuration.summary = "\(base.configuration.name) with changes"
    let own = FileFailure.name(of: file)
    let stem = own.hasSuffix(".json") ? String(own.dropLast(5)) : ""
    if Self.isLine(stem) { configuration.name = stem }
  }

  /// Whether a text is one line, 1 to 200 bytes long.
  private static func isLine(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 200
      && !text.unicodeScalars.contains { ForeignText.isInvisible($0) || $0 == "\t" }
  }

  private mutating func readText(_ member: JSONMember) {
    guard case .string(let text) = member.value.content, Self.isLine(text) else {
      problems.append(
        .mismatch(member.value, member.key, "one line of text, 1 to 200 bytes long"))
      return
    }
    if member.key == "name" { configuration.name = text } else { configuration.summary = text }
  }

  /// One object of the description: `parameters` are those whose paths start with `path`.
  private mutating func walk(
    _ object: JSONValue, path: String, parameters: ArraySlice<ConfigurationParameter>
  ) {
    var known = path.isEmpty ? ["name", "summary"] : []
    var optional = path.isEmpty ? ["base"] : []
    let prefix = path.isEmpty ? 0 : path.utf8.count + 1
    var rest = parameters
    while let parameter = rest.first {
      let key = String(parameter.path.dropFirst(prefix).prefix { $0 != "." })
      let inner = path.isEmpty ? key : "\(path).\(key)"
      let group = rest.prefix { $0.path == inner || $0.path.hasPrefix("\(inner).") }
      rest = rest.dropFirst(group.count)
      guard let value = object[key] else {
        if isUnstated(group) { optional.append(key) } else { known.append(key) }
        continue
      }
      known.append(key)
      if group.count == 1 && parameter.path == inner {
        leaf(value, parameter)
      } else if case .object = value.content {
        walk(value, path: inner, parameters: group)
      } else {
        problems.append(.mismatch(value, inner, "an object"))
      }
    }
    checkKeys(
      of: object, needed: hasBase ? [] : known, allowed: known + optional, path: path)
  }

  /// Whether the description need not state parameters, which then have their values for that.
  private mutating func isUnstated(_ group: ArraySlice<ConfigurationParameter>) -> Bool {
    guard !hasBase, group.allSatisfy({ $0.unstated != nil }) else { return false }
    for parameter in group {
      guard let value = parameter.unstated else { continue }
      write(value, parameter)
      provenance[parameter.path] = Provenance(.assumed, "not stated: the rule of version 0.1.0")
    }
    return true
  }

  /// `{"value": …, "provenance": …, "source": …}`, or the value alone.
  private mutating func leaf(_ value: JSONValue, _ parameter: ConfigurationParameter) {
    let keys = ["value", "provenance", "source"]
    guard case .object(let members) = value.content,
      !parameter.takesObjects || members.isEmpty
        || members.contains(where: { keys.contains($0.key) })
    else {
      write(value, parameter)
      provenance[parameter.path] = Provenance(.overridden, file)
      return
    }
    checkKeys(of: value, needed: keys, allowed: keys, path: parameter.path)
    if let content = value["value"] { write(content, parameter) }
    var stated = Provenance(.assumed, "")
    if let kind = value["provenance"] {
      let names = Provenance.Kind.inFiles.map(\.rawValue)
      if case .string(let text) = kind.content, names.contains(text),
        let known = Provenance.Kind(rawValue: text)
      {
        stated.kind = known
      } else {
        problems.append(
          .mismatch(
            kind, "\(parameter.path).provenance", "one of \(names.joined(separator: ", "))"))
      }
    }
    if let source = value["source"] {
      if case .string(let text) = source.content, Self.isLine(text) {
        stated.source = text
      } else {
        problems.append(
          .mismatch(
            source, "\(parameter.path).source", "one line of text, 1 to 200 bytes long"))
      }
    }
    provenance[parameter.path] = stated
  }

  private mutating func write(_ value: JSONValue, _ parameter: ConfigurationParameter) {
    places[parameter.path] = value.location
    do {
      try parameter.write(value, &configuration)
    } catch {
      problems.append(error)
    }
  }

  /// Reports unknown and missing keys; a missing key that an unknown one was meant to be is not
  /// reported twice.
  private mutating func checkKeys(
    of object: JSONValue, needed: [String], allowed: [String], path: String
  ) {
    let place = path.isEmpty ? "" : " in \(path)"
    var missing = needed.filter { object[$0] == nil }
    for member in object.members where !allowed.contains(member.key) {
      let guess = DidYouMean.suggest(member.key, among: missing)
      missing.removeAll { $0 == guess }
      problems.append(
        NPUError(
          .configuration, "unknown key \(JSONWriter.quoted(member.key))\(place)",
          at: member.keySpan?.location,
          hint: guess.map { "did you mean \"\($0)\"?" }
            ?? DidYouMean.hint(for: member.key, among: allowed)))
    }
    for key in missing {
      problems.append(
        NPUError(
          .configuration, "the key \"\(key)\" is missing\(place)", at: object.location,
          hint: "a machine description gives one value for every parameter, or names a base: "
            + "{\"base\": \"\(Presets.defaultName)\", …}"))
    }
  }
}

extension NPUError {
  fileprivate var sortKey: (Int, Int) { (location?.line ?? 0, location?.column ?? 0) }
}

extension MachineConfiguration {
  /// What the parameters of a description are written into: every table at its full length.
  fileprivate static var blank: MachineConfiguration {
    MachineConfiguration(
      name: "", summary: "", clockHz: 1_000_000_000, cores: 1, coreBarrier: 0,
      matrix: .init(m0: 1, k0: 32, n0: 1, accumulator: .bf16, overhead: 0, latency: 0),
      vector: .init(
        lanes: 1, minimumOccupancy: 0, slopes: Array(repeating: 0, count: VectorClass.count),
        latencies: Array(repeating: 0, count: VectorClass.count)),
      sfuMode: .correctlyRounded,
      memories: Array(repeating: .init(bytes: nil, alignment: 1), count: Space.count),
      paths: Array(repeating: .init(rate: .unlimited, latency: 0), count: TransferPath.count),
      hbm: .init(rate: .unlimited, burst: 1), queueDepth: nil,
      interlocks: Array(repeating: .full, count: Queue.count), eventsPerPair: nil,
      eventPropagation: 0)
  }
}
