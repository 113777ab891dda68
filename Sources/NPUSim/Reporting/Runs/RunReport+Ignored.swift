extension RunReport {
  /// A tensor of a file that nothing asked for.
  public struct Ignored: Sendable, Hashable {
    /// What becomes of a tensor that a file does not give.
    public enum Fate: String, Sendable, Hashable, CaseIterable {
      /// An input comes from the seed.
      case seeded
      /// A result is not compared.
      case notCompared = "not_compared"
    }

    public var name: String
    /// The type as the file spells it.
    public var type: String
    public var shape: [Int]
    /// A tensor that the file does not give, and that it may have been meant to be.
    public var near: String?
    public var fate: Fate

    public init(name: String, type: String, shape: [Int], near: String?, fate: Fate) {
      self.name = name
      self.type = type
      self.shape = shape
      self.near = near
      self.fate = fate
    }
  }

  /// The lines of the files that the run was given, first those of the inputs.
  public var ignoredLines: [String] {
    (inputs?.ignored.lines ?? []) + (expectation?.ignored.lines ?? [])
  }
}

extension [RunReport.Ignored] {
  /// One line for each tensor, the last for all that are too many to list.
  public var lines: [String] {
    let most = 8
    var lines = prefix(count > most + 1 ? most : most + 1).map { tensor in
      let fate = tensor.fate == .seeded ? "That comes from the seed" : "That is not compared"
      return "ignored: \(ForeignText.visible(tensor.name)) (\(ForeignText.visible(tensor.type)) "
        + "\(tensor.shape))" + (tensor.near.map { "; did you mean \($0)? \(fate)" } ?? "")
    }
    if lines.count < count {
      lines.append("ignored: \(count - lines.count) more tensors; --strict refuses them")
    }
    return lines
  }
}
