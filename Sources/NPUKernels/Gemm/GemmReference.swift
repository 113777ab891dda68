import NPUSim

// MARK: Algorithm

/// The pure reference of gemm, gevm and dot_product: one unit is a part of one output row.
struct GemmReference: KernelReference {
  private let problem: GemmProblem
  private let settings: DatapathSettings
  /// The words of the left operand where they were given as MXINT8, or the values that are encoded.
  private let left: Left
  private let right: ProductMatrix
  private let partner: InputRows?

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
    if let partner = form.partner {
      self.partner = try InputRows(partner.rawValue, columns: problem.n, inputs)
    } else {
      partner = nil
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
    let start = line * problem.n + columns.lowerBound
    let product = right.product(row(line), lines: columns, accumulator: settings.accumulator)
      .map(rounded)
    var unit = ReferenceUnit()
    guard let partner else {
      unit.add(problem.interface.output.name, start: start, product, as: problem.form.result)
      return unit
    }
    unit.add(GemmProblem.productName, start: start, product, as: problem.form.result)
    let met = zip(product, partner[line][columns]).map { rounded(meet($0.given, Traced($1))) }
    unit.add(problem.interface.output.name, start: start, met, as: problem.form.result)
    return unit
  }

  /// A product with the element of its residual or gate.
  private func meet(_ product: Traced, _ partner: Traced) -> Traced {
    guard problem.form.partner == .gate else { return .add(product, partner) }
    return .mul(partner.applying(.silu, to: .bf16, mode: settings.sfuMode), product)
  }

  /// One rounding to the output's type.
  private func rounded(_ value: Traced) -> Traced {
    problem.form.result == .bf16 ? value.bf16 : value
  }
}
