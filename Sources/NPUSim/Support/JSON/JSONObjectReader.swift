/// Reads the members of one JSON object whose keys are known, strictly.
///
/// Making the reader rejects every key that is not known, so a typing error is reported as one,
/// with the closest known key, and never as something missing. Each access names its key; messages
/// name the whole path (`vector.lanes`).
///
/// ```swift
/// let vector = try root.object("vector", keys: ["lanes", "mode"])
/// let lanes = try vector.int("lanes", in: 1...4096)
/// let mode = try vector.string("mode", default: "expu")
/// ```
public struct JSONObjectReader: Sendable {
  /// The object's place in the document, such as `vector`; empty at the root.
  public let path: String
  /// Where the object starts.
  public let location: SourceLocation?
  /// Members in the order written.
  public let members: [JSONMember]
  private let keys: [String]
  private let category: NPUError.Category

  /// - Parameters:
  ///   - value: must be an object.
  ///   - path: how messages name the object; empty for the document itself.
  ///   - keys: every key that may appear.
  ///   - category: the category of every error.
  public init(
    _ value: JSONValue, path: String = "", keys: [String], category: NPUError.Category = .parse
  ) throws(NPUError) {
    members = try value.requireMembers(path.isEmpty ? "the document" : path, category: category)
    self.path = path
    self.keys = keys
    self.category = category
    location = value.location
    for member in members where !keys.contains(member.key) {
      let place = path.isEmpty ? "" : " in \(path)"
      throw NPUError(
        category, "unknown key \(JSONWriter.quoted(member.key))\(place)",
        at: member.keySpan?.location, hint: DidYouMean.hint(for: member.key, among: keys))
    }
  }

  /// How messages name the member of a key.
  public func path(of key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  /// Whether the object has the key.
  public func has(_ key: String) -> Bool { members.contains { $0.key == key } }

  /// The value of a key, or `nil` when the object does not have it.
  public func optional(_ key: String) throws(NPUError) -> JSONValue? {
    guard keys.contains(key) else {
      throw NPUError(.internal, "\(path(of: key)) is read but not declared as a known key")
    }
    return members.first { $0.key == key }?.value
  }

  /// The value of a key that must be there.
  public func value(_ key: String) throws(NPUError) -> JSONValue {
    guard let value = try optional(key) else {
      let place = path.isEmpty ? "" : " in \(path)"
      throw NPUError(category, "the key \"\(key)\" is missing\(place)", at: location)
    }
    return value
  }

  // MARK: Typed access. A key with a default may be absent; null is never taken for absent.

  /// The text of a string.
  public func string(_ key: String, default fallback: String? = nil) throws(NPUError) -> String {
    if let fallback, !has(key) { return fallback }
    return try value(key).requireString(path(of: key), category: category)
  }

  /// True or false.
  public func bool(_ key: String, default fallback: Bool? = nil) throws(NPUError) -> Bool {
    if let fallback, !has(key) { return fallback }
    return try value(key).requireBool(path(of: key), category: category)
  }

  /// An integral number inside `range`.
  public func int(
    _ key: String, in range: ClosedRange<Int> = Int.min...Int.max, default fallback: Int? = nil
  ) throws(NPUError) -> Int {
    if let fallback, !has(key) { return fallback }
    return try value(key).requireInt(path(of: key), in: range, category: category)
  }

  /// A number, kept exactly.
  public func number(_ key: String) throws(NPUError) -> JSONNumber {
    try value(key).requireNumber(path(of: key), category: category)
  }

  /// A number inside `range`, as the nearest double.
  public func double(
    _ key: String,
    in range: ClosedRange<Double> = -Double
      .greatestFiniteMagnitude...Double
      .greatestFiniteMagnitude,
    default fallback: Double? = nil
  ) throws(NPUError) -> Double {
    if let fallback, !has(key) { return fallback }
    return try value(key).requireDouble(path(of: key), in: range, category: category)
  }

  /// A string that names a case of an enumeration.
  public func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ key: String, of type: Choice.Type = Choice.self, default fallback: Choice? = nil
  ) throws(NPUError) -> Choice {
    if let fallback, !has(key) { return fallback }
    return try value(key).requireCase(path(of: key), of: type, category: category)
  }

  /// The elements of an array.
  public func array(_ key: String) throws(NPUError) -> [JSONValue] {
    try value(key).requireArray(path(of: key), category: category)
  }

  /// A nested object, with its own known keys.
  public func object(_ key: String, keys: [String]) throws(NPUError) -> JSONObjectReader {
    try JSONObjectReader(value(key), path: path(of: key), keys: keys, category: category)
  }
}
