// Changing parameters by path, writing them as JSON, and what holds between parameters.

extension MachineConfiguration {
  /// The configuration with one setting of the form `path=value` applied, such as
  /// `matrix.accumulator=fp32`, `paths.hbm_to_l1.bytes_per_cycle=256/5` or `queues.depth=unlimited`.
  ///
  /// - Throws: `NPUError` for a setting that is not of that form, names no parameter or does not
  ///   fit it, or that leaves the machine inconsistent.
  public func applying(set setting: String) throws(NPUError) -> MachineConfiguration {
    try applying(sets: [setting])
  }

  /// The configuration with several settings applied; only the result need be consistent. Throws
  /// too where two of them are of one parameter.
  public func applying(sets: [String]) throws(NPUError) -> MachineConfiguration {
    var result = self
    _ = try result.apply(sets)
    return result
  }

  /// Applies settings of the form `path=value` and returns the paths that they changed.
  mutating func apply(_ sets: [String]) throws(NPUError) -> [String] {
    var given: [String: String] = [:]
    for setting in sets {
      let path = try apply(setting).path
      if let earlier = given.updateValue(setting, forKey: path) {
        throw NPUError(
          .configuration, "\(path) is set twice, by \(earlier) and by \(setting)",
          hint: "keep one of them")
      }
    }
    if let problem = inconsistencies().first { throw problem.error }
    return given.keys.sorted()
  }

  /// Applies one setting without looking at the machine as a whole.
  private mutating func apply(_ setting: String) throws(NPUError) -> ConfigurationParameter {
    guard let equals = setting.firstIndex(of: "=") else {
      throw NPUError(
        .configuration, "the setting \(JSONWriter.quoted(setting)) has no value",
        hint: "write path=value, such as matrix.accumulator=fp32")
    }
    let path = String(setting[..<equals])
    let text = String(setting[setting.index(after: equals)...])
    let parameter = try ConfigurationParameter.named(path)
    try parameter.write(Self.settingValue(text), &self)
    return parameter
  }

  /// JSON where the text is JSON, a string where it is not. Nothing in it has a place in a file.
  private static func settingValue(_ text: String) -> JSONValue {
    guard let value = try? JSONValue.parse(text, file: "") else { return .string(text) }
    return value.withoutPlaces
  }

  /// A contradiction between parameters, and the parameter to point at.
  struct Inconsistency {
    var path: String
    var error: NPUError
  }

  /// What no single parameter can show to be wrong.
  func inconsistencies() -> [Inconsistency] { bankInconsistencies + hbmInconsistencies }

  private var hbmInconsistencies: [Inconsistency] {
    func problem(_ path: String, _ text: String, hint: String) -> [Inconsistency] {
      [Inconsistency(path: path, error: NPUError(.configuration, "\(path) \(text)", hint: hint))]
    }
    let mixed = hbm.mixedEfficiency
    if mixed != hbm.readEfficiency, Rate.minimum(mixed, hbm.readEfficiency) != mixed {
      func text(_ share: Rate) -> String {
        JSONValue.fraction(share.numerator, over: share.denominator).settingText
      }
      // Whoever has set one of the two alone is told of that one.
      let isOwn = mixed != .whole
      return problem(
        isOwn ? "hbm.mixed_efficiency" : "hbm.read_efficiency",
        isOwn
          ? "is \(text(mixed)), more than hbm.read_efficiency, \(text(hbm.readEfficiency))"
          : "is \(text(hbm.readEfficiency)), less than hbm.mixed_efficiency, 1",
        hint: "transfers both ways are no faster than those of one: give hbm.mixed_efficiency at "
          + "most \(text(hbm.readEfficiency))")
    }
    for (path, share) in [
      ("hbm.read_efficiency", hbm.readEfficiency), ("hbm.mixed_efficiency", mixed),
    ] where hbm.rate.times(share)?.isRepresentable != true {
      return problem(
        path,
        "of the bandwidth is not a fraction of bytes per cycle whose lowest terms are below 2^31",
        hint: "use a share with fewer digits")
    }
    return []
  }

  private var bankInconsistencies: [Inconsistency] {
    Space.allCases.filter(\.isOnChip).compactMap { space in
      guard let banks = self[space].banks else { return nil }
      let path = "memories.\(space.name).banks"
      // At most 2^54: every factor is bounded where it is read.
      let covered = banks.groups * banks.banksPerGroup * banks.bytesPerBank
      if let bytes = self[space].bytes, bytes <= covered { return nil }
      let capacity = self[space].bytes.map { "\($0) bytes" } ?? "unlimited bytes"
      return Inconsistency(
        path: path,
        error: NPUError(
          .configuration,
          "\(path) has room for \(covered) bytes, but memories.\(space.name).bytes is \(capacity)",
          hint: "make the banks as large as the memory, or null where they are not modelled"))
    }
  }

  /// Every parameter by its path as a tree of objects, with `name` and `summary` in front:
  /// `vector.lanes` is the number at `["vector"]["lanes"]`.
  public var json: JSONValue {
    var root = JSONValue.object([
      JSONMember("name", .string(name)), JSONMember("summary", .string(summary)),
    ])
    for parameter in ConfigurationParameter.all {
      let keys = parameter.path.split(separator: ".").map(String.init)
      root.insert(parameter.value(in: self), at: keys[...])
    }
    return root
  }
}

extension JSONValue {
  /// The value and everything in it, as if made in code.
  fileprivate var withoutPlaces: JSONValue {
    switch content {
    case .array(let elements): .array(elements.map(\.withoutPlaces))
    case .object(let members):
      .object(members.map { JSONMember($0.key, $0.value.withoutPlaces) })
    default: JSONValue(content)
    }
  }

  /// Puts a value below nested objects, which are made where they do not exist.
  fileprivate mutating func insert(_ value: JSONValue, at keys: ArraySlice<String>) {
    guard let key = keys.first else {
      self = value
      return
    }
    var members = self.members
    if let index = members.firstIndex(where: { $0.key == key }) {
      members[index].value.insert(value, at: keys.dropFirst())
    } else {
      var inner = JSONValue.object([])
      inner.insert(value, at: keys.dropFirst())
      members.append(JSONMember(key, inner))
    }
    self = .object(members)
  }
}
