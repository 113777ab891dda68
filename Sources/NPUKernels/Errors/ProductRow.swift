import NPUSim

/// A row as the matrix unit takes it, MXINT8 along the depth, with what it stands for.
struct ProductRow: Sendable {
  /// What is known of the elements beside their words.
  enum Source: Sendable {
    /// The words are exact.
    case words
    /// The exact values before the encode, which lies in the stage.
    case values([Double])
    /// Values with errors of their own before the encode.
    case traced([Traced])
  }

  let payload: [Int8]
  let scales: [UInt8]
  let source: Source
  /// What the encode moves an element of each block by at most; 0 where it lies in an earlier stage.
  let moved: [Double]
  /// The expected square of that.
  let variance: [Double]

  /// Payloads and scales as they were given.
  init(payload: [Int8], scales: [UInt8]) {
    self.payload = payload
    self.scales = scales
    source = .words
    moved = scales.map { _ in 0 }
    variance = moved
  }

  /// The encode of exact values, as part of the stage.
  init(encoding values: [Float]) {
    self.init(words: values, source: .values(values.map { Double($0) }))
  }

  /// The encode of traced values, as part of the stage.
  init(encoding values: [Traced]) {
    self.init(words: values.map(\.word), source: .traced(values))
  }

  private init(words: [Float], source: Source) {
    let blocks = ReferenceBlocks.encode(
      words, lines: 1, depth: words.count, lineStride: words.count, stride: 1)
    payload = blocks.payload
    scales = blocks.scales
    self.source = source
    moved = blocks.moved
    variance = blocks.scales.map {
      let step = ReferenceBlocks.step($0)
      return step * step / 12
    }
  }

  /// The decoded elements after the encode, and the row as a stage of its own hands it on.
  func settled() -> (elements: [Traced], row: ProductRow) {
    guard case .traced(let values) = source else { return ([], self) }
    let elements = values.indices.map { index in
      var element = values[index]
      element.word = MXINT8.decode(payload[index], scale: E8M0(bits: scales[index / 32]))
      element.bound += moved[index / 32]
      element.variance += variance[index / 32]
      return element
    }
    return (elements, ProductRow(payload, scales, .traced(elements.map(\.given))))
  }

  private init(_ payload: [Int8], _ scales: [UInt8], _ source: Source) {
    self.payload = payload
    self.scales = scales
    self.source = source
    moved = scales.map { _ in 0 }
    variance = moved
  }
}
