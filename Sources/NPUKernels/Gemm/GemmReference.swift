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
    let (form, names) = (problem.form, problem.interface)
    switch inputs[names.input.name] {
    case .mx(let input): left = .words(ReferencePayload(input), scales: input.scale.storage)
    default: left = .values(try InputRows(names.input.name, columns: problem.k, inputs))
    }
    switch inputs[names.other.name] {
    case .mx(let other):
      right = ProductMatrix(
        payload: ReferencePayload(other), scales: other.scale.storage, lines: problem.n,
        depth: problem.k, layout: form.layout, hasEnergies: form.encodes(.input))
    case .plain(let other):
      right = ProductMatrix(
        encoding: try other.floats(), lines: problem.n, depth: problem.k, layout: form.layout)
    case nil: throw NPUError(.internal, "the reference was not given \(names.other.name)")
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
      problem.form.result == .bf16 ? chains.map(\.bf16) : chains, as: problem.form.result)
    return unit
  }
}
