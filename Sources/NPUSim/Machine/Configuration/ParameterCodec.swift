/// Reads and writes the JSON form of one kind of parameter value, range included.
///
/// `decode` takes the value and the parameter's path, and says what was found and what was needed.
/// `encode` is its inverse: what it makes, `decode` accepts.
struct ParameterCodec<Value: Sendable>: Sendable {
  let decode: @Sendable (JSONValue, String) throws(NPUError) -> Value
  let encode: @Sendable (Value) -> JSONValue
  /// Whether a value may be a JSON object.
  var takesObjects = false
}

extension ParameterCodec where Value == Int {
  static func integer(_ range: ClosedRange<Int>) -> Self {
    Self(
      decode: { (value, path) throws(NPUError) in
        try value.requireInt(path, in: range, category: .configuration)
      },
      encode: { .integer($0) })
  }

  /// A power of two inside a range that starts and ends with one.
  static func powerOfTwo(_ range: ClosedRange<Int>) -> Self {
    Self(
      decode: { (value, path) throws(NPUError) in
        let needed = "a power of two from \(range.lowerBound) to \(range.upperBound)"
        guard let number = value.integer, range.contains(number), number.nonzeroBitCount == 1
        else { throw .mismatch(value, path, needed) }
        return number
      },
      encode: { .integer($0) })
  }

  /// A positive multiple of `unit`, at most `limit`.
  static func multiple(of unit: Int, upTo limit: Int) -> Self {
    Self(
      decode: { (value, path) throws(NPUError) in
        let needed = "a multiple of \(unit) from \(unit) to \(limit)"
        guard let number = value.integer, number >= unit, number <= limit, number % unit == 0
        else { throw .mismatch(value, path, needed) }
        return number
      },
      encode: { .integer($0) })
  }
}

extension ParameterCodec where Value == Int64 {
  /// A number of cycles.
  static func cycles(_ range: ClosedRange<Int>) -> Self {
    let base = ParameterCodec<Int>.integer(range)
    return Self(
      decode: { (value, path) throws(NPUError) in Int64(try base.decode(value, path)) },
      encode: { .integer($0) })
  }
}

extension ParameterCodec where Value == Int? {
  /// An integer inside a range, or `"unlimited"`.
  static func limit(_ range: ClosedRange<Int>) -> Self {
    Self(
      decode: { (value, path) throws(NPUError) in
        if value.isUnlimited { return nil }
        let needed =
          "an integer from \(range.lowerBound) to \(range.upperBound), or \"unlimited\""
        guard let number = value.integer, range.contains(number) else {
          throw .mismatch(value, path, needed)
        }
        return number
      },
      encode: { $0.map { .integer($0) } ?? "unlimited" })
  }
}

extension ParameterCodec where Value == Int? {
  /// An integer inside a range, or null for none.
  static func optional(_ range: ClosedRange<Int>) -> Self {
    Self(
      decode: { (value, path) throws(NPUError) in
        if case .null = value.content { return nil }
        guard let number = value.integer, range.contains(number) else {
          throw .mismatch(
            value, path, "an integer from \(range.lowerBound) to \(range.upperBound), or null")
        }
        return number
      },
      encode: { $0.map { .integer($0) } ?? .null })
  }
}

extension ParameterCodec where Value == FormatSet {
  /// `"all"`, or an array of names such as `"bf16"`.
  static var formats: Self {
    let names = ElementFormat.allCases.map(\.name)
    return Self(
      decode: { (value, path) throws(NPUError) in
        if case .string("all") = value.content { return .all }
        guard case .array(let elements) = value.content else {
          throw .mismatch(value, path, "\"all\" or an array of formats such as \"f16\"")
        }
        var formats: FormatSet = []
        for element in elements {
          guard case .string(let name) = element.content, let format = ElementFormat(name: name)
          else {
            var error = NPUError.mismatch(
              element, "an element of \(path)", "one of \(names.joined(separator: ", "))")
            if case .string(let name) = element.content {
              error.hint = DidYouMean.hint(for: name, among: names)
            }
            throw error
          }
          formats.insert(format)
        }
        return formats
      },
      encode: { $0 == .all ? "all" : .array($0.formats.map { .string($0.name) }) })
  }
}

extension ParameterCodec where Value == Interlock {
  /// The name, or a boolean as in descriptions of version 0.1.0: false is `none`, true is `full`.
  static var interlock: Self {
    let names = ParameterCodec<Interlock>.choice
    return Self(
      decode: { (value, path) throws(NPUError) in
        if case .bool(let flag) = value.content { return flag ? .full : .none }
        return try names.decode(value, path)
      },
      encode: names.encode)
  }
}

extension ParameterCodec
where Value: RawRepresentable<String> & CaseIterable & Sendable {
  static var choice: Self {
    Self(
      decode: { (value, path) throws(NPUError) in
        try value.requireCase(path, of: Value.self, category: .configuration)
      },
      encode: { .string($0.rawValue) })
  }
}

extension ParameterCodec where Value == Rate {
  /// An exact rate: a decimal number, a fraction such as `"256/5"`, or `"unlimited"`.
  static var rate: Self {
    Self(
      decode: { (value, path) throws(NPUError) in
        if value.isUnlimited { return .unlimited }
        if let parts = value.fraction, let rate = Rate(parts.numerator, over: parts.denominator),
          rate.isRepresentable
        {
          return rate
        }
        throw .mismatch(
          value, path,
          "a positive number (or a fraction such as \"256/5\") whose lowest terms are below 2^31, "
            + "or \"unlimited\"")
      },
      encode: { rate in
        rate.isUnlimited
          ? "unlimited" : .fraction(rate.numerator, over: rate.denominator)
      })
  }
}

extension ParameterCodec where Value == Rate {
  /// A share: a number above 0 and at most 1, or a fraction such as `"9/10"`.
  static var share: Self {
    Self(
      decode: { (value, path) throws(NPUError) in
        if let parts = value.fraction, let share = Rate(parts.numerator, over: parts.denominator),
          share.isRepresentable, share.numerator <= share.denominator
        {
          return share
        }
        throw .mismatch(
          value, path,
          "a number above 0 and at most 1 (or a fraction such as \"9/10\") whose lowest terms are "
            + "below 2^31")
      },
      encode: { .fraction($0.numerator, over: $0.denominator) })
  }
}

extension ParameterCodec where Value == Rate? {
  /// A rate, or `"none"` for what the machine does not have.
  static var optionalRate: Self {
    let rate = ParameterCodec<Rate>.rate
    return Self(
      decode: { (value, path) throws(NPUError) in
        if case .string("none") = value.content { return nil }
        do throws(NPUError) {
          return try rate.decode(value, path)
        } catch {
          throw .mismatch(
            value, path,
            "a positive number (or a fraction such as \"256/5\") whose lowest terms are below "
              + "2^31, \"unlimited\", or \"none\"")
        }
      },
      encode: { $0.map(rate.encode) ?? "none" })
  }
}

extension ParameterCodec where Value == MachineConfiguration.MemorySpec.Banks? {
  /// `{"groups": …, "banks": …, "bytes": …}`, banks counted in a group and bytes in a bank; or
  /// null where banks are not modelled.
  static var banks: Self {
    Self(
      decode: { (value, path) throws(NPUError) in
        if case .null = value.content { return nil }
        guard case .object = value.content else {
          throw .mismatch(value, path, "null or an object with groups, banks and bytes")
        }
        let reader = try JSONObjectReader(
          value, path: path, keys: ["groups", "banks", "bytes"], category: .configuration)
        return try MachineConfiguration.MemorySpec.Banks(
          groups: reader.int("groups", in: 1...4096),
          banksPerGroup: reader.int("banks", in: 1...4096),
          bytesPerBank: reader.int("bytes", in: 1...(1 << 30)))
      },
      encode: { banks in
        banks.map {
          [
            "groups": .integer($0.groups), "banks": .integer($0.banksPerGroup),
            "bytes": .integer($0.bytesPerBank),
          ]
        } ?? nil
      }, takesObjects: true)
  }
}

extension NPUError {
  /// What was found, at its place, and what was needed.
  static func mismatch(_ value: JSONValue, _ path: String, _ needed: String) -> NPUError {
    NPUError(
      .configuration, "\(path) is \(value.summary); it must be \(needed)", at: value.location)
  }
}

extension JSONValue {
  fileprivate var isUnlimited: Bool {
    if case .string("unlimited") = content { true } else { false }
  }

  fileprivate var integer: Int? {
    guard case .number(let number) = content, let wide = number.integer else { return nil }
    return Int(exactly: wide)
  }

  /// The exact value of a number, or of a string of the form `numerator/denominator`.
  fileprivate var fraction: (numerator: Int64, denominator: Int64)? {
    switch content {
    case .number(let number): return number.fraction
    case .string(let text):
      let parts = text.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 2, let numerator = Int64(parts[0]), let denominator = Int64(parts[1])
      else { return nil }
      return (numerator, denominator)
    default: return nil
    }
  }

  /// The exact decimal number when there is one of at most 18 digits, else a fraction as a string.
  static func fraction(_ numerator: Int64, over denominator: Int64) -> JSONValue {
    let fallback = JSONValue.string("\(numerator)/\(denominator)")
    guard numerator > 0, denominator > 0 else { return fallback }
    let digits = numerator / denominator
    var rest = numerator % denominator
    var decimals = ""
    // Each step shifts one decimal digit out of the remainder; a finite decimal ends with none.
    while rest != 0 {
      let (scaled, overflow) = rest.multipliedReportingOverflow(by: 10)
      guard !overflow, decimals.utf8.count < 18 else { return fallback }
      decimals += String(scaled / denominator)
      rest = scaled % denominator
    }
    if decimals.isEmpty { return .integer(digits) }
    guard let number = JSONNumber(literal: "\(digits).\(decimals)") else { return fallback }
    return JSONValue(.number(number))
  }
}

extension Rate {
  /// Whether both terms are below 2^31: the engines keep sums of such fractions exact.
  var isRepresentable: Bool { numerator < 1 << 31 && denominator < 1 << 31 }
}
