import NPUSim

// MARK: Algorithm

/// The pure reference of ``Embedding``: one unit is a token.
struct EmbeddingReference: KernelReference {
  private let hidden: Int
  private let ids: [Int32]
  private let table: InputRows

  init(_ kernel: Embedding, _ inputs: [String: TensorValue]) throws(NPUError) {
    guard case .plain(let tensor) = inputs["ids"] else {
      throw NPUError(.internal, "the reference was not given ids")
    }
    hidden = kernel.hidden
    ids = try tensor.words(as: Int32.self)
    table = try InputRows("table", columns: hidden, inputs)
  }

  /// The row as it is, NaNs included: nothing is rounded on the way.
  func evaluate(unit index: Int) -> ReferenceUnit {
    let row = Int(ids[index])
    let start = index * hidden
    var unit = ReferenceUnit()
    unit.words = [ReferenceSlice("out", start: start, bytes: table.bytes(row))]
    unit.errors = [ErrorSlice("out", start: start, table[row].map { Traced($0) })]
    return unit
  }
}
