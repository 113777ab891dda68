import NPUSim

/// A saved benchmark, to compare another one with.
struct BenchComparison {
  /// Bytes of the largest file that is read.
  private static let sizeLimit = 1 << 24

  private var values: [String: Double] = [:]

  /// Reads what `simctl bench --json` wrote.
  ///
  /// - Throws: `.io` or `.usage` for a file that cannot be read or is no benchmark.
  init(_ path: String) throws(NPUError) {
    let root = try JSONValue.parse(
      FileReader.contents(of: path, limit: Self.sizeLimit), file: path, category: .usage)
    for (index, element) in try root.requireArray("the benchmark", category: .usage).enumerated() {
      let reader = try JSONObjectReader(
        element, path: "[\(index)]",
        keys: ["part", "name", "value", "unit", "percent_of_peak", "before", "ratio"],
        category: .usage)
      let key = Self.key(try reader.string("part"), try reader.string("name"))
      values[key] = try reader.double("value")
    }
  }

  /// What the saved benchmark has for a line, and how many times better the line is: more of a rate,
  /// or less of a duration.
  func before(_ line: Measurement) -> (value: Double, ratio: Double)? {
    guard let value = values[Self.key(line.part, line.name)], value > 0, line.value > 0 else {
      return nil
    }
    return (value, line.isRate ? line.value / value : value / line.value)
  }

  private static func key(_ part: String, _ name: String) -> String { "\(part)\n\(name)" }
}
