/// One parameter of a machine: where it stands, what it means, and how it is read and written.
///
/// ``all`` is the schema. Reading a description, `--set`, the JSON of reports and the tables of
/// `simctl config` all go through it, so a parameter is declared once.
public struct ConfigurationParameter: Sendable {
  /// The dotted path, such as `vector.lanes`.
  public let path: String
  /// The unit of the value; empty for a count or a choice.
  public let unit: String
  /// What the parameter is, in one line.
  public let summary: String
  /// Whether a value may be a JSON object.
  let takesObjects: Bool
  /// The value where a description says nothing, of a rule that descriptions of version 0.1.0 do not
  /// know; every other parameter has to be stated.
  let unstated: JSONValue?
  let read: @Sendable (MachineConfiguration) -> JSONValue
  let write: @Sendable (JSONValue, inout MachineConfiguration) throws(NPUError) -> Void

  /// The value in a configuration, in its JSON form. Writing it back changes nothing.
  public func value(in configuration: MachineConfiguration) -> JSONValue { read(configuration) }

  init<Value>(
    _ path: String, _ field: WritableKeyPath<MachineConfiguration, Value> & Sendable,
    _ codec: ParameterCodec<Value>, unit: String = "", unstated: JSONValue? = nil,
    _ summary: String
  ) {
    self.init(
      path, unit: unit, summary, takesObjects: codec.takesObjects, unstated: unstated,
      read: { codec.encode($0[keyPath: field]) },
      write: { (value, configuration) throws(NPUError) in
        configuration[keyPath: field] = try codec.decode(value, path)
      })
  }

  init(
    _ path: String, unit: String, _ summary: String, takesObjects: Bool = false,
    unstated: JSONValue? = nil,
    read: @escaping @Sendable (MachineConfiguration) -> JSONValue,
    write: @escaping @Sendable (JSONValue, inout MachineConfiguration) throws(NPUError) -> Void
  ) {
    self.path = path
    self.unit = unit
    self.summary = summary
    self.takesObjects = takesObjects
    self.unstated = unstated
    self.read = read
    self.write = write
  }

  /// The parameter of a path.
  ///
  /// - Throws: `NPUError` of category `configuration` with the closest path, when there is none.
  public static func named(_ path: String) throws(NPUError) -> ConfigurationParameter {
    if let match = all.first(where: { $0.path == path }) { return match }
    let inside = all.map(\.path).filter { $0.hasPrefix("\(path).") }
    if !inside.isEmpty {
      let keys = inside.map { String($0.dropFirst(path.utf8.count + 1)) }
      let shown = keys.prefix(8).joined(separator: ", ") + (keys.count > 8 ? ", …" : "")
      throw NPUError(
        .configuration, "\(path) is a group of machine parameters, not one of them",
        hint: "name one inside it: \(shown)")
    }
    throw NPUError(
      .configuration, "there is no machine parameter \(JSONWriter.quoted(path))",
      hint: hint(for: path))
  }

  /// The closest path; failing that, the only path that ends with the word.
  private static func hint(for path: String) -> String {
    if let guess = DidYouMean.suggest(path, among: all.map(\.path)) {
      return "did you mean \"\(guess)\"?"
    }
    let ends = all.map(\.path).filter { $0.hasSuffix(".\(path)") }
    if ends.count == 1 { return "did you mean \"\(ends[0])\"?" }
    let groups = all.map { String($0.path.prefix { $0 != "." }) }
    var seen: Set<String> = []
    let known = groups.filter { seen.insert($0).inserted }.joined(separator: ", ")
    return "the parameters are under: \(known)"
  }
}
