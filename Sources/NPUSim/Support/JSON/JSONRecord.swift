/// A value that can be kept as JSON and read back.
protocol JSONConvertible: SendableMetatype {
  /// The value as JSON; null where there is none, or JSON has no number for it.
  var json: JSONValue { get }

  /// Reads the value back. Throws `.parse` for JSON that does not hold one, with its place.
  ///
  /// - Parameter path: how messages name the value, such as `numerics.mismatches`.
  init(json: JSONValue, _ path: String) throws(NPUError)
}

/// A member of an object that keeps a `Root`: its key, what is written, and where it is read to.
struct JSONField<Root>: Sendable {
  let key: String
  /// `nil` leaves the member out.
  let write: @Sendable (Root) -> JSONValue?
  /// What is given is the member's value, or null where there is none.
  let read: @Sendable (inout Root, JSONValue, _ path: String) throws(NPUError) -> Void

  init(
    _ key: String, write: @escaping @Sendable (Root) -> JSONValue?,
    read: @escaping @Sendable (inout Root, JSONValue, _ path: String) throws(NPUError) -> Void
  ) {
    self.key = key
    self.write = write
    self.read = read
  }

  /// A stored property; one that is optional may be missing.
  init<Value: JSONConvertible>(_ key: String, _ property: WritableKeyPath<Root, Value> & Sendable) {
    self.init(key) {
      $0[keyPath: property].json
    } read: { root, value, path throws(NPUError) in
      root[keyPath: property] = try Value(json: value, path)
    }
  }

  /// An optional property that is left out where it is `nil`.
  static func ifAny<Value: JSONConvertible>(
    _ key: String, _ property: WritableKeyPath<Root, Value?> & Sendable
  ) -> JSONField {
    JSONField(key) {
      $0[keyPath: property].map(\.json)
    } read: { root, value, path throws(NPUError) in
      root[keyPath: property] = try Value?(json: value, path)
    }
  }

  /// What follows from the other members, left out where it is `nil`; reading passes over it.
  static func derived(
    _ key: String, _ value: @escaping @Sendable (Root) -> JSONValue?
  ) -> JSONField {
    JSONField(key, write: value) { _, _, _ in }
  }
}

/// A value that JSON keeps as an object, each member declared once for writing and reading.
///
/// Members that are not declared are passed over: a later version may have more.
protocol JSONRecord: JSONConvertible {
  /// A value into which the members are read.
  static var blank: Self { get }
  static var fields: [JSONField<Self>] { get }
}

extension JSONRecord {
  var members: [JSONMember] {
    Self.fields.compactMap { field in field.write(self).map { JSONMember(field.key, $0) } }
  }

  var json: JSONValue { .object(members) }

  init(json: JSONValue, _ path: String) throws(NPUError) {
    let members = try json.requireMembers(path.isEmpty ? "the document" : path)
    let byKey = Dictionary(members.map { ($0.key, $0.value) }) { first, _ in first }
    self = .blank
    for field in Self.fields {
      let name = path.isEmpty ? field.key : "\(path).\(field.key)"
      guard let value = byKey[field.key] else {
        do throws(NPUError) {
          try field.read(&self, .null, name)
        } catch {
          let place = path.isEmpty ? "" : " in \(path)"
          throw NPUError(.parse, "the key \"\(field.key)\" is missing\(place)", at: json.location)
        }
        continue
      }
      try field.read(&self, value, name)
    }
  }
}

// MARK: - Values

extension JSONValue: JSONConvertible {
  var json: JSONValue { self }
  init(json: JSONValue, _ path: String) { self = json }
}

extension Bool: JSONConvertible {
  var json: JSONValue { .bool(self) }
  init(json: JSONValue, _ path: String) throws(NPUError) { self = try json.requireBool(path) }
}

extension String: JSONConvertible {
  var json: JSONValue { .string(self) }
  init(json: JSONValue, _ path: String) throws(NPUError) { self = try json.requireString(path) }
}

extension Int: JSONConvertible {
  var json: JSONValue { .integer(self) }

  /// Within ±2^53, as other readers of JSON have it.
  init(json: JSONValue, _ path: String) throws(NPUError) {
    self = try json.requireInt(path, in: -(1 << 53)...1 << 53)
  }
}

extension Int64: JSONConvertible {
  var json: JSONValue { .integer(self) }

  /// Within ±2^62, so that the difference of two is a number, too.
  init(json: JSONValue, _ path: String) throws(NPUError) {
    self = Int64(try json.requireInt(path, in: -(1 << 62)...1 << 62))
  }
}

extension Double: JSONConvertible {
  var json: JSONValue { .double(self) }

  /// Null is what an infinity and NaN are written as; it reads as NaN.
  init(json: JSONValue, _ path: String) throws(NPUError) {
    if case .null = json.content { self = .nan } else { self = try json.requireDouble(path) }
  }
}

extension Optional: JSONConvertible where Wrapped: JSONConvertible {
  var json: JSONValue { map(\.json) ?? .null }

  init(json: JSONValue, _ path: String) throws(NPUError) {
    if case .null = json.content { self = nil } else { self = try Wrapped(json: json, path) }
  }
}

extension Array: JSONConvertible where Element: JSONConvertible {
  var json: JSONValue { .array(map(\.json)) }

  init(json: JSONValue, _ path: String) throws(NPUError) {
    self = []
    for (index, element) in try json.requireArray(path).enumerated() {
      append(try Element(json: element, "\(path)[\(index)]"))
    }
  }
}

extension JSONConvertible where Self: RawRepresentable<String> & CaseIterable {
  var json: JSONValue { .string(rawValue) }
  init(json: JSONValue, _ path: String) throws(NPUError) { self = try json.requireCase(path) }
}
