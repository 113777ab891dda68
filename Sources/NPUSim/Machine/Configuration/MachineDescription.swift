/// A machine as a description file gives it: the configuration, and where each value comes from.
public struct MachineDescription: Sendable {
  /// The values.
  public private(set) var configuration: MachineConfiguration
  /// One entry for each of ``ConfigurationParameter/all``, by path.
  public private(set) var provenance: [String: Provenance]

  init(configuration: MachineConfiguration, provenance: [String: Provenance]) {
    self.configuration = configuration
    self.provenance = provenance
  }

  /// Reads a description: one value for every parameter, each with its provenance and source or bare,
  /// or what is different from the built-in machine that `base` names. A bare value has the
  /// provenance ``Provenance/Kind/overridden`` and the file as its source.
  ///
  /// - Parameters:
  ///   - json: the text of the file.
  ///   - file: the name to report.
  /// - Throws: the first of ``problems(json:file:)``.
  public static func parse(
    json: [UInt8], file: String
  ) throws(NPUError) -> MachineDescription {
    var reader = DescriptionReader(file: file)
    let description = reader.read(json)
    if let first = reader.problems.first { throw first }
    guard let description else {
      throw NPUError(.internal, "\(file) gave neither a machine nor a problem")
    }
    return description
  }

  /// Reads a description from a string; see ``parse(json:file:)-([UInt8],_)``.
  public static func parse(json: String, file: String) throws(NPUError) -> MachineDescription {
    try parse(json: Array(json.utf8), file: file)
  }

  /// Everything that is wrong with a description, in the order of the file as far as possible;
  /// empty when it is valid. Only the first syntax error of a text is known.
  public static func problems(json: [UInt8], file: String) -> [NPUError] {
    var reader = DescriptionReader(file: file)
    _ = reader.read(json)
    return reader.problems
  }

  /// The description with settings of the form `path=value` applied. Their provenance becomes
  /// ``Provenance/commandLine``.
  ///
  /// - Throws: `NPUError` for a setting that is not of that form, names no parameter or does not
  ///   fit it, for two of one parameter, or for a machine that is inconsistent after all of them.
  public func applying(sets: [String]) throws(NPUError) -> MachineDescription {
    var result = self
    for path in try result.configuration.apply(sets) { result.provenance[path] = .commandLine }
    return result
  }

  /// How many parameters somebody has set, in a description or on the command line.
  public var settings: Int { provenance.values.count { $0.kind == .overridden } }

  /// A row of the table that `simctl config show` prints.
  public struct Row: Sendable, Hashable {
    /// The dotted path of the parameter.
    public var path: String
    /// The value as `--set` accepts it.
    public var value: String
    /// The unit of the value; may be empty.
    public var unit: String
    /// Where the value comes from.
    public var provenance: Provenance
    /// What the parameter is.
    public var summary: String
  }

  /// Every parameter with its value and provenance, in the order of the schema.
  public var rows: [Row] {
    ConfigurationParameter.all.map { parameter in
      Row(
        path: parameter.path, value: parameter.value(in: configuration).settingText,
        unit: parameter.unit,
        provenance: provenance[parameter.path] ?? Provenance(.assumed, "not stated"),
        summary: parameter.summary)
    }
  }
}

extension JSONValue {
  /// The text of a value on a command line: strings bare, everything else as JSON.
  var settingText: String {
    if case .string(let text) = content { text } else { self.text(.compact) }
  }
}
