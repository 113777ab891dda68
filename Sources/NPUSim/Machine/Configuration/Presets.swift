/// The machine descriptions that are built in.
public enum Presets {
  /// The machine that is used when none is named.
  public static let defaultName = "edge"

  /// The names, the default first.
  public static var names: [String] { EmbeddedPresets.all.map(\.name) }

  /// The text of a built-in description, as its file has it; `nil` for an unknown name.
  public static func text(named name: String) -> String? {
    EmbeddedPresets.all.first { $0.name == name }?.text
  }

  /// A built-in machine.
  ///
  /// - Throws: `NPUError` of category `configuration` with the closest name, when there is none.
  public static func named(_ name: String) throws(NPUError) -> MachineDescription {
    guard let text = text(named: name) else {
      throw NPUError(
        .configuration, "there is no machine \(JSONWriter.quoted(name))",
        hint: DidYouMean.hint(for: name, among: names))
    }
    return try MachineDescription.parse(json: text, file: "\(name).json")
  }

  /// Every built-in machine, the default first.
  public static func all() throws(NPUError) -> [MachineDescription] {
    var machines: [MachineDescription] = []
    for name in names { machines.append(try named(name)) }
    return machines
  }
}
