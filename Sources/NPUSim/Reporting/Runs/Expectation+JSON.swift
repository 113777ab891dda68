extension RunReport.Expectation: JSONRecord {
  static let blank = Self(.value())

  static let fields: [JSONField<Self>] = [
    .derived("tensors") { $0.results.count.json }, .derived("words") { $0.words.json },
    .derived("mismatches") { $0.different.json }, .derived("beyond_tolerance") { $0.beyond.json },
    JSONField("tolerance", \.closeness.absolute), JSONField("rtol", \.closeness.relative),
    JSONField("ulp", \.closeness.steps), JSONField("bits", \.closeness.isBits),
    JSONField("compared", \.results), JSONField("inputs", \.inputs),
    JSONField("ignored", \.ignored),
    .derived("details") { RunReport.details($0).json },
  ]
}

extension Closeness {
  fileprivate var isBits: Bool {
    get { self == .bits }
    set { if newValue { self = .bits } }
  }

  /// The parts of a distance between values; 0 and `nil` of ``bits``.
  private var parts: (absolute: Double, relative: Double, steps: Int?) {
    get {
      guard case .value(let absolute, let relative, let steps) = self else { return (0, 0, nil) }
      return (absolute, relative, steps)
    }
    set {
      self = .value(
        absolute: newValue.absolute, relative: newValue.relative, steps: newValue.steps)
    }
  }
  fileprivate var absolute: Double {
    get { parts.absolute }
    set { parts.absolute = newValue }
  }
  fileprivate var relative: Double {
    get { parts.relative }
    set { parts.relative = newValue }
  }
  fileprivate var steps: Int? {
    get { parts.steps }
    set { parts.steps = newValue }
  }
}

extension RunReport.Expectation.Compared: JSONRecord {
  static let blank = Self(name: "", types: ("", ""))

  static let fields: [JSONField<Self>] = [
    JSONField("name", \.name), JSONField("found_type", \.types.found),
    JSONField("expected_type", \.types.expected), JSONField("words", \.words),
    JSONField("mismatches", \.different), JSONField("beyond_tolerance", \.beyond),
    JSONField("max_abs_difference", \.largest), JSONField("rms_difference", \.rms),
    JSONField("first", \.first),
  ]
}

extension RunReport.Expectation.Difference: JSONRecord {
  static let blank = Self(place: "", found: "", expected: "", ulps: nil, writer: nil)

  static let fields: [JSONField<Self>] = [
    JSONField("place", \.place), JSONField("found", \.found),
    JSONField("expected", \.expected), JSONField("ulps", \.ulps),
    JSONField("written_by", \.writer),
  ]
}
