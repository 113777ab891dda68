extension RunReport {
  /// What the files of a run's inputs gave.
  public struct Inputs: Sendable {
    /// An input whose words are not the file's.
    public struct Cast: Sendable, Hashable {
      public var name: String
      /// The types by their file names.
      public var from: String
      public var to: String

      public init(name: String, from: String, to: String) {
        self.name = name
        self.from = from
        self.to = to
      }
    }

    /// The file, where it has a name.
    public var origin: String?
    /// Inputs that the file gave.
    public var given: [String] = []
    /// Inputs that were made from the seed, though there is a file.
    public var seeded: [String] = []
    public var casts: [Cast] = []
    public var ignored: [Ignored] = []

    public init(origin: String?) { self.origin = origin }
  }
}

extension RunReport {
  /// What of the inputs is not what a file holds.
  func page(_ inputs: Inputs) -> [String] {
    var lines: [String] = []
    if !inputs.seeded.isEmpty {
      lines += wrapped(
        "from seed",
        "\(inputs.seeded.joined(separator: ", ")), which "
          + "\(ForeignText.visible(inputs.origin ?? "the file of inputs")) does not give")
    }
    let casts = inputs.casts.map { "\($0.name) from \($0.from) to \($0.to)" }
    if !casts.isEmpty { lines += wrapped("cast", casts.joined(separator: ", ")) }
    return lines
  }
}
