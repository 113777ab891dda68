extension RunReport {
  /// The error of a tensor's values against FP64, in the tensor's own unit.
  ///
  /// Three figures, each for what it is: the rigorous bound of the stage that made the tensor, over the
  /// words that the stage was given; the error over the run's inputs, which has no bound; and the error
  /// that independent roundings would give. `nil` where no element says anything.
  public struct TensorError: Sendable {
    public var name: String
    /// Whether it is a result and not an intermediate.
    public var isOutput: Bool
    /// The largest |value − exact value for the run's inputs|.
    public var maximum: Double?
    /// Root mean square of the same.
    public var rmsError: Double?
    /// Root mean square of the exact values.
    public var rms: Double?
    /// The root-mean-square error that independent roundings of every step on the way would give.
    public var expected: Double?
    /// Root mean square of the stage's bounds, over the elements that have one.
    public var bound: Double?
    /// The largest error of the stage as a fraction of its bound; above 1 is a fault of the simulator.
    public var worstOfBound: Double?
    /// Elements beyond their bound.
    public var beyondBound: Int
    /// Elements without an error, as they, their exact values or what roundings may make of them are
    /// not finite.
    public var nonFinite: Int

    public init(
      name: String, isOutput: Bool, maximum: Double?, rmsError: Double?, rms: Double?,
      expected: Double?, bound: Double?, worstOfBound: Double?, beyondBound: Int, nonFinite: Int
    ) {
      self.name = name
      self.isOutput = isOutput
      self.maximum = maximum
      self.rmsError = rmsError
      self.rms = rms
      self.expected = expected
      self.bound = bound
      self.worstOfBound = worstOfBound
      self.beyondBound = beyondBound
      self.nonFinite = nonFinite
    }

    /// The error as a fraction of the exact values; `nil` also where these are all zero.
    public var relative: Double? {
      guard let rmsError, let rms else { return nil }
      if rms > 0 { return rmsError / rms }
      return rmsError > 0 ? nil : 0
    }

    /// What the error says about the program.
    public enum Judgement: Sendable, Hashable {
      /// Roundings explain it.
      case explained
      /// It is larger than roundings explain: more than four times the expected one, and more than a
      /// quarter of the exact values.
      case unexplained
      /// Four times the expected error exceeds the exact values: any result would pass.
      case undecided
    }

    /// `nil` where no element says anything.
    public var judgement: Judgement? {
      guard let rmsError, let rms, let expected else { return nil }
      if rmsError > 4 * expected && rmsError > rms / 4 { return .unexplained }
      return 4 * expected > rms ? .undecided : .explained
    }
  }
}

extension [RunReport.TensorError] {
  /// The largest relative error first; those of which nothing can be said last.
  public var worstFirst: [RunReport.TensorError] {
    enumerated().sorted { left, right in
      let (a, b) = (left.element.order, right.element.order)
      return a == b ? left.offset < right.offset : a > b
    }.map(\.element)
  }
}

extension RunReport.TensorError {
  fileprivate var order: Double { rmsError == nil ? -1 : relative ?? .infinity }
}
