/// Every combination of the values of some names: the last name changes fastest.
public struct ValueProduct: Sendable {
  /// A name and the values that it takes, such as `n=0..9,16`.
  public struct List: Sendable {
    public let name: String
    /// The values in their order, whole numbers in decimal digits; no two are equal.
    public let values: [String]
    /// The values as they were written.
    public let text: String

    /// Whether a text states several values, or one as a range.
    public static func isList(_ text: String) -> Bool {
      text.contains(",") || text.contains("..")
    }

    /// Values with commas between them: numbers, words, and ranges of whole numbers with both ends.
    ///
    /// - Parameter flag: what messages call the flag, with its dashes.
    /// - Throws: `.usage` for an empty value, a range that is none or runs downwards, and a value that
    ///   is named twice; `.limit` for more than ``ValueProduct/limit`` values.
    public init(_ name: String, _ text: String, flag: String) throws(NPUError) {
      self.name = name
      self.text = text
      var values: [String] = []
      var seen: Set<String> = []
      for part in text.split(separator: ",", omittingEmptySubsequences: false) {
        let first = values.count
        if let range = try Self.range(part, name, flag) {
          let (distance, overflow) = range.upperBound.subtractingReportingOverflow(range.lowerBound)
          guard !overflow, distance < ValueProduct.limit - first else {
            throw ValueProduct.tooMany("\(flag) \(name)=\(text) names")
          }
          values += range.map(String.init)
        } else {
          values.append(try Self.value(part, name, text, flag))
        }
        for value in values[first...] where !seen.insert(value).inserted {
          throw NPUError(
            .usage, "\(flag) \(name)=\(text) names \(value) twice", hint: "keep one of them")
        }
      }
      guard values.count <= ValueProduct.limit else {
        throw ValueProduct.tooMany("\(flag) \(name)=\(text) names")
      }
      self.values = values
    }

    private static func value(
      _ part: Substring, _ name: String, _ text: String, _ flag: String
    ) throws(NPUError) -> String {
      guard !part.isEmpty else {
        throw NPUError(
          .usage, "\(flag) \(name)=\(text) has an empty value",
          hint: "write values with single commas between them: \(name)=1,2,8..16")
      }
      return Int64(part).map(String.init) ?? String(part)
    }

    /// The numbers of `first..last`, both included; `nil` for what has no dots between.
    private static func range(
      _ part: Substring, _ name: String, _ flag: String
    ) throws(NPUError) -> ClosedRange<Int64>? {
      guard let dots = part.firstRange(of: "..") else { return nil }
      guard let first = Int64(part[..<dots.lowerBound]), let last = Int64(part[dots.upperBound...])
      else {
        throw NPUError(
          .usage, "\(flag) \(name) needs a range of whole numbers, found '\(part)'",
          hint: "write \(name)=0..9; both ends are tried")
      }
      guard first <= last else {
        throw NPUError(
          .usage, "\(flag) \(name): nothing lies in the range \(part)",
          hint: "write the smaller end first: \(name)=\(last)..\(first)")
      }
      return first...last
    }
  }

  /// Most combinations.
  public static let limit = 1 << 16

  public let lists: [List]
  /// How many combinations there are.
  public let count: Int

  /// All combinations of the lists.
  ///
  /// - Throws: `.limit` for more than ``limit``.
  public init(_ lists: [List]) throws(NPUError) {
    self.lists = lists
    var count = 1
    for list in lists {
      // Both factors are at most the limit.
      count *= list.values.count
      if count > Self.limit {
        let words = lists.map { "\($0.name)=\($0.text)" }.joined(separator: " and ")
        throw Self.tooMany("\(words) combine to")
      }
    }
    self.count = count
  }

  /// A combination by its number.
  public subscript(index: Int) -> [(name: String, value: String)] {
    var rest = index
    return lists.reversed().map { list in
      defer { rest /= list.values.count }
      return (list.name, list.values[rest % list.values.count])
    }.reversed()
  }

  /// A combination in words, such as `n=4 rem=1`.
  public func words(_ index: Int) -> String {
    self[index].map { "\($0.name)=\($0.value)" }.joined(separator: " ")
  }

  private static func tooMany(_ what: String) -> NPUError {
    NPUError(
      .limit, "\(what) more than \(limit) values, which is the limit",
      hint: "try parts of the ranges one after the other, or the values at their ends")
  }
}
