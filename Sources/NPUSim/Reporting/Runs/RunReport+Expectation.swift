extension RunReport {
  /// A comparison with somebody's tensors.
  public struct Expectation: Sendable {
    /// A tensor, or a half of an MXINT8 pair, and how far it is from what was expected.
    public struct Compared: Sendable {
      public var name: String
      /// How the run and the other side hold it, such as `BF16` and `F32`.
      public var types: (found: String, expected: String)
      public var words = 0
      /// Elements that differ.
      public var different = 0
      /// Those of them that are not accepted.
      public var beyond = 0
      /// Largest and root-mean-square difference over the elements where it is finite; `nil` without
      /// such elements.
      public var largest: Double?
      public var rms: Double?
      /// The first element that is not accepted.
      public var first: Difference?

      public init(name: String, types: (found: String, expected: String)) {
        self.name = name
        self.types = types
      }
    }

    /// An element that is not the expected one.
    public struct Difference: Sendable {
      /// Its indices, outermost first, such as `[0, 3]`.
      public var place: String
      public var found: String
      public var expected: String
      /// Units in the last place between the two, where that means something.
      public var ulps: Int?
      /// The micro-op that wrote it.
      public var writer: String?

      public init(place: String, found: String, expected: String, ulps: Int?, writer: String?) {
        self.place = place
        self.found = found
        self.expected = expected
        self.ulps = ulps
        self.writer = writer
      }

      /// The difference in one line.
      public var text: String {
        "\(place): found \(found), expected \(expected)"
          + (ulps.map { ", \($0) ULP\($0 == 1 ? "" : "s") apart" } ?? "")
      }
    }

    public var closeness: Closeness
    /// Outputs and intermediates, in the order of the algorithm.
    public var results: [Compared] = []
    /// Inputs, which a run does not make: they say whether both ran on the same.
    public var inputs: [Compared] = []
    /// Tensors of the file that this run does not have.
    public var ignored: [Ignored] = []

    public init(_ closeness: Closeness) { self.closeness = closeness }

    /// Elements of the results, and those of them that are not accepted.
    public var words: Int { results.clampedSum(\.words) }
    public var beyond: Int { results.clampedSum(\.beyond) }
    /// Elements of the results that differ.
    public var different: Int { results.clampedSum(\.different) }
  }
}

extension RunReport {
  /// The lines of the page.
  func page(_ expectation: Expectation, _ style: TextStyle) -> [String] {
    let results = expectation.results
    let different = expectation.different
    let outcome =
      if expectation.beyond > 0 {
        style.bad(Self.differ(expectation.beyond))
      } else if different > 0 {
        "\(Self.differ(different)) within the tolerance"
      } else {
        style.good("equal")
          + (results.contains { $0.largest ?? 0 > 0 } ? " once rounded to the run's types" : "")
      }
    var lines = [row("expected", "\(outcome); \(Self.amount(results)) compared")]
    if !expectation.inputs.isEmpty {
      let isEqual = expectation.inputs.allSatisfy { $0.beyond == 0 }
      lines.append(
        row(
          "",
          (isEqual ? "inputs equal" : style.bad("inputs differ"))
            + ": \(Self.amount(expectation.inputs))"))
    }
    return lines + Self.details(expectation).map { row("", $0) }
  }

  private static func differ(_ count: Int) -> String {
    count == 1 ? "1 word differs" : "\(Quantity.grouped(count)) words differ"
  }

  private static func amount(_ compared: [Expectation.Compared]) -> String {
    let words = compared.clampedSum(\.words)
    return "\(Quantity.grouped(words)) words of \(compared.count) "
      + (compared.count == 1 ? "tensor" : "tensors")
  }

  /// A line for each tensor that differs, and where it first does.
  static func details(_ expectation: Expectation) -> [String] {
    (expectation.inputs + expectation.results).filter { $0.different > 0 }.flatMap { compared in
      let figures =
        if let largest = compared.largest, let rms = compared.rms {
          "largest \(Quantity.significant(largest)), rms \(Quantity.significant(rms)), "
        } else {
          ""
        }
      let accepted =
        compared.beyond == compared.different
        ? ""
        : compared.beyond == 0
          ? ", all within the tolerance"
          : ", \(Quantity.grouped(compared.beyond)) beyond the tolerance"
      var lines = [
        "\(compared.name): \(figures)\(Quantity.grouped(compared.different)) of "
          + "\(Quantity.grouped(compared.words)) differ\(accepted)"
      ]
      if let first = compared.first {
        lines.append("  first at \(first.text)")
        if let writer = first.writer { lines.append("  written by \(writer)") }
      }
      return lines
    }
  }
}
