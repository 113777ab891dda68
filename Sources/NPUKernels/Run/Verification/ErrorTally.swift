import NPUSim

/// The errors of each tensor, summed over the elements that were compared.
public struct ErrorTally: Sendable {
  /// The sums of one tensor.
  struct Sums: Sendable {
    /// Elements whose word, exact value and expected error are finite.
    var count = 0
    var maximum = 0.0
    var squares = 0.0
    /// Of the exact values, and expected of the errors.
    var exact = 0.0
    var expected = 0.0
    /// Elements without an error.
    var nonFinite = 0
    /// Elements with a bound that is finite, the sum of its squares, the largest error as a fraction of
    /// it, and the elements beyond it.
    var bounded = 0
    var bounds = 0.0
    var worst = 0.0
    var beyond = 0
    var compared: Int { count + nonFinite }

    mutating func join(_ other: Sums) {
      count += other.count
      maximum = max(maximum, other.maximum)
      squares += other.squares
      exact += other.exact
      expected += other.expected
      nonFinite += other.nonFinite
      bounded += other.bounded
      bounds += other.bounds
      worst = max(worst, other.worst)
      beyond += other.beyond
    }

    /// Compares a word's value with its figures.
    mutating func take(_ value: Double, _ figure: ErrorFigure) {
      // An infinity that is right has no error to speak of.
      if value.isInfinite && value == figure.exact && value == figure.end { return }
      guard value.isFinite else {
        nonFinite += 1
        return
      }
      let off = (value - figure.exact).magnitude
      if figure.exact.isFinite {
        if off > figure.bound { beyond += 1 }
        if figure.bound.isFinite {
          bounded += 1
          bounds += figure.bound * figure.bound
          if figure.bound > 0 { worst = max(worst, off / figure.bound) }
        }
      }
      guard figure.end.isFinite, figure.variance.isFinite else {
        nonFinite += 1
        return
      }
      count += 1
      let error = (value - figure.end).magnitude
      maximum = max(maximum, error)
      squares += error * error
      exact += figure.end * figure.end
      expected += figure.variance
    }
  }

  private let specs: [TensorSpec]
  private let indices: [String: Int]
  private var sums: [Sums]

  /// Nothing compared yet of some tensors, in the order of the algorithm.
  public init(_ specs: [TensorSpec]) {
    self.specs = specs
    indices = Dictionary(
      specs.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    sums = specs.map { _ in Sums() }
  }

  /// Compares the words of a tensor with a slice of figures; `scales` are the bytes of the tensor that
  /// ``ErrorSlice/scaling`` names. A slice of an unknown tensor is ignored, and words that are missing
  /// are 0.
  public mutating func take(
    _ slice: ErrorSlice, words: UnsafeRawBufferPointer, scales: UnsafeRawBufferPointer?
  ) {
    guard let index = indices[slice.tensor] else { return }
    let format = specs[index].format
    let scale: (UnsafeRawBufferPointer, ErrorSlice.Scaling, ElementFormat)? =
      if let scaling = slice.scaling, let scales {
        (scales, scaling, indices[scaling.tensor].map { specs[$0].format } ?? .e8m0)
      } else { nil }
    for (offset, figure) in slice.figures.enumerated() {
      let element = slice.start + offset
      var value = Self.value(words, element, format)
      if let (bytes, scaling, format) = scale {
        value *= Self.value(bytes, scaling.index(element), format)
        if specs[index].format == .mxint8 { value *= 0x1p-6 }
      }
      sums[index].take(value, figure)
    }
  }

  /// Adds what another tally of the same tensors compared.
  public mutating func join(_ other: ErrorTally) {
    for index in sums.indices { sums[index].join(other.sums[index]) }
  }

  /// The errors of the tensors that were compared, in the order of the algorithm.
  public var errors: [RunReport.TensorError] {
    zip(specs, sums).compactMap { spec, sums in
      sums.compared == 0 ? nil : RunReport.TensorError(spec, sums)
    }
  }

  private static func value(
    _ bytes: UnsafeRawBufferPointer, _ element: Int, _ format: ElementFormat
  ) -> Double {
    Verifier.value(Verifier.word(bytes, element * format.bytes, format.bytes), format)
  }
}

extension RunReport.TensorError {
  fileprivate init(_ spec: TensorSpec, _ sums: ErrorTally.Sums) {
    let count = Double(sums.count)
    let root = { (sum: Double) -> Double? in sums.count > 0 ? (sum / count).squareRoot() : nil }
    self.init(
      name: spec.name, isOutput: spec.role == .output || spec.role == .updated,
      maximum: sums.count > 0 ? sums.maximum : nil, rmsError: root(sums.squares),
      rms: root(sums.exact), expected: root(sums.expected),
      bound: sums.bounded > 0 ? (sums.bounds / Double(sums.bounded)).squareRoot() : nil,
      worstOfBound: sums.bounded > 0 ? sums.worst : nil, beyondBound: sums.beyond,
      nonFinite: sums.nonFinite)
  }
}
