/// What is known of an element of a tensor beside its word.
public struct ErrorFigure: Sendable, Hashable {
  /// The exact value of the stage that made the element, for the words that the stage was given.
  public var exact: Double
  /// A bound on |element − ``exact``| from the roundings inside the stage; infinite where there is
  /// none, as an overflow lies on the way.
  public var bound: Double
  /// The exact value for the inputs of the run.
  public var end: Double
  /// The mean square of element − ``end`` where every rounding on the way errs at random; not
  /// finite where that says nothing.
  public var variance: Double
}

/// The figures of a contiguous run of elements of a tensor.
public struct ErrorSlice: Sendable {
  /// The scales that turn stored words into the values that the figures speak of.
  public struct Scaling: Sendable, Hashable {
    /// The tensor of the scales.
    public var tensor: String
    /// Elements of a row, and of a block along it.
    public var width: Int
    public var block: Int
    /// Whether a block is so many rows of a column instead: whole blocks, one after the other.
    public var isAlongRows = false

    /// The scale of an element.
    func index(_ element: Int) -> Int {
      isAlongRows
        ? element / width / block * width + element % width
        : element / width * ((width + block - 1) / block) + element % width / block
    }
  }

  public var tensor: String
  /// First element in the flattened tensor.
  public var start: Int
  public var figures: [ErrorFigure]
  /// `nil` where the words are the values.
  public var scaling: Scaling?

  init(_ tensor: String, start: Int, figures: [ErrorFigure], scaling: Scaling? = nil) {
    self.tensor = tensor
    self.start = start
    self.figures = figures
    self.scaling = scaling
  }

  init(_ tensor: String, start: Int, _ values: [Traced], scaling: Scaling? = nil) {
    self.init(tensor, start: start, figures: values.map(\.figure), scaling: scaling)
  }
}
