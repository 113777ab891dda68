import NPUSim

// MARK: Algorithm

/// The pure reference of gemm, gevm and dot_product: one unit is a part of one output row.
struct GemmReference: KernelReference {
  private let problem: GemmProblem
  private let settings: DatapathSettings
  /// The words of the left operand where they were given as MXINT8, or the values that are encoded.
  private let left: Left
  private let right: ProductMatrix

  private enum Left: Sendable {
    case words(ReferencePayload, scales: [UInt8])
    case values(InputRows)
  }

  init(_ problem: GemmProblem, _ inputs: [String: TensorValue], settings: DatapathSettings)
    throws(NPUError)
  {
    self.problem = problem
    self.settings = settings
    switch (inputs[problem.interface.input.name], inputs[problem.interface.other.name]) {
    case (.mx(let input), .mx(let other)):
      left = .words(ReferencePayload(input), scales: input.scale.storage)
      right = ProductMatrix(
        payload: ReferencePayload(other), scales: other.scale.storage, lines: problem.n,
        depth: problem.k, layout: .columns, hasEnergies: false)
    case (.plain, .plain(let other)):
      left = .values(
        try InputRows(problem.interface.input.name, columns: problem.k, inputs))
      right = ProductMatrix(
        encoding: try other.floats(), lines: problem.n, depth: problem.k, layout: .columns)
    default:
      throw NPUError(
        .internal,
        "the reference was not given \(problem.interface.input.name) and "
          + problem.interface.other.name)
    }
  }

  private func row(_ index: Int) -> ProductRow {
    let range = index * problem.k..<(index + 1) * problem.k
    switch left {
    case .words(let payload, let scales):
      let blocks = right.blocks
      return ProductRow(
        payload: range.map { payload[$0] },
        scales: Array(scales[index * blocks..<(index + 1) * blocks]))
    case .values(let rows): return ProductRow(encoding: rows[index])
    }
  }

  func evaluate(unit index: Int) -> ReferenceUnit {
    let width = problem.unitColumns
    let parts = problem.n / width
    let line = index / parts
    let columns = index % parts * width..<(index % parts + 1) * width
    let chains = right.product(row(line), lines: columns, accumulator: settings.accumulator)
    var unit = ReferenceUnit()
    unit.add(
      problem.interface.output.name, start: line * problem.n + columns.lowerBound,
      problem.result == .bf16 ? chains.map(\.bf16) : chains, as: problem.result)
    return unit
  }
}
