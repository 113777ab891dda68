import NPUSim

/// Compares a run's tensors with somebody's, as planned.
struct ExpectationCheck {
  let plan: ExpectationPlan
  let program: Program
  private let writer: WriterIndex

  /// What a comparison gave: the figures, and N004 where they are not what was expected.
  struct Outcome {
    var expectation: RunReport.Expectation
    var findings: [Finding]
  }

  init(_ plan: ExpectationPlan, _ program: Program) {
    self.plan = plan
    self.program = program
    writer = WriterIndex(program)
  }

  /// Throws `.tensor` for a tensor that this run does not make.
  func compare(_ tensors: RunTensors) throws(NPUError) -> Outcome {
    var result = RunReport.Expectation(plan.closeness)
    result.ignored = plan.ignored
    // Of the results that differ; nil where nobody is known to have written the element.
    var sites: [Finding.Site?] = []
    let dump = try tensors.dump()
    for pair in plan.pairs {
      var compared: RunReport.Expectation.Compared
      let first: Int?
      (compared, first) = try compare(pair, in: dump)
      if let first {
        let writer = pair.isInput ? nil : writer.writer(of: pair.name, element: first)
        compared.first?.writer = writer.map { program.line($0) }
        if !pair.isInput { sites.append(writer) }
      }
      if pair.isInput { result.inputs.append(compared) } else { result.results.append(compared) }
    }
    return Outcome(expectation: result, findings: findings(result, at: sites.first ?? nil))
  }

  private func findings(_ result: RunReport.Expectation, at site: Finding.Site?) -> [Finding] {
    var findings: [Finding] = []
    if let input = result.inputs.first(where: { $0.beyond > 0 }), let first = input.first {
      findings.append(
        Finding(
          .N004,
          "\(Quantity.grouped(input.beyond)) of \(Quantity.grouped(input.words)) words of the "
            + "input \(input.name) are not the expected ones; the first is at \(first.text)",
          fix: "run on the same inputs: give the file to --inputs, too"))
    }
    if let output = result.results.first(where: { $0.beyond > 0 }), let first = output.first {
      findings.append(
        Finding(
          .N004,
          "\(Quantity.grouped(result.beyond)) of \(Quantity.grouped(result.words)) words are not "
            + "the expected ones; the first is \(output.name) at \(first.text)",
          sites: site.map { [$0] } ?? [], fix: fix(output)))
    }
    return findings
  }

  /// What to do about a result; what computes in a wider type is rarely met to the last bit.
  private func fix(_ output: RunReport.Expectation.Compared) -> String {
    let compare =
      "compare the tensors in the order of the algorithm: the first that differs shows the step at "
      + "fault"
    guard plan.closeness == .value(), output.types.found != output.types.expected else {
      return compare
    }
    return "one rounding of \(output.types.expected) to \(output.types.found) is allowed for; say "
      + "with --ulp, --rtol or --tolerance how far the steps before it may lead, or \(compare)"
  }

  /// The figures of one tensor, and the number of the first element that is not accepted.
  private func compare(
    _ pair: ExpectationPlan.Pair, in dump: TensorSet
  ) throws(NPUError) -> (RunReport.Expectation.Compared, first: Int?) {
    guard let payload = dump[pair.name] else {
      throw NPUError(
        .tensor, "this run does not make \(pair.name)",
        hint: "its tensors are \(dump.names.joined(separator: ", "))")
    }
    let found: ComparedTensor =
      pair.isDecoded
      ? .numbers(
        try dump.mxTensor(named: pair.name, expectedAxis: pair.spec.fileAxis).floats(),
        type: pair.spec.format.name.uppercased())
      : .words(payload)
    var result = RunReport.Expectation.Compared(
      name: pair.name, types: (found.type, pair.expected.type))
    result.words = found.count
    var sameType: (found: Tensor, expected: Tensor)?
    if case .words(let a) = found, case .words(let b) = pair.expected, a.dtype == b.dtype {
      sameType = (a, b)
      if a.storage == b.storage {
        (result.largest, result.rms) = result.words > 0 ? (0, 0) : (nil, nil)
        return (result, nil)
      }
    }
    var first: Int?
    var (largest, squares, finite) = (0.0, 0.0, 0)
    for element in 0..<found.count {
      let (a, b) = (found.value(at: element), pair.expected.value(at: element))
      let distance = (a - b).magnitude
      if distance.isFinite || a == b {
        largest = max(largest, a == b ? 0 : distance)
        squares += a == b ? 0 : distance * distance
        finite += 1
      }
      let judgement: Closeness.Judgement =
        if plan.closeness == .bits, let sameType {
          sameType.found.word(at: element) == sameType.expected.word(at: element) ? .equal : .apart
        } else {
          plan.closeness.judge(found: a, expected: b, on: found.line)
        }
      if judgement == .equal { continue }
      result.different += 1
      if judgement == .close { continue }
      result.beyond += 1
      if first == nil { first = element }
    }
    if finite > 0 {
      result.largest = largest
      result.rms = (squares / Double(finite)).squareRoot()
    }
    guard let first else { return (result, nil) }
    let (a, b) = (found.value(at: first), pair.expected.value(at: first))
    result.first = RunReport.Expectation.Difference(
      place: Self.place(first, payload.shape),
      found: found.text(at: first, withWord: sameType != nil),
      expected: pair.expected.text(at: first, withWord: sameType != nil),
      ulps: found.line?.steps(a, b), writer: nil)
    return (result, first)
  }

  /// The element's indices, and the block of 32 of its row that it is in.
  private static func place(_ element: Int, _ shape: [Int]) -> String {
    "\(index(element, shape)) (block \(element % max(1, shape.last ?? 1) / 32))"
  }

  /// The element's place as `[0, 3, 0, 17]`.
  static func index(_ element: Int, _ shape: [Int]) -> String {
    var rest = element
    var parts: [Int] = []
    for extent in shape.reversed() {
      parts.append(rest % max(1, extent))
      rest /= max(1, extent)
    }
    return "[\(parts.reversed().map(String.init).joined(separator: ", "))]"
  }
}
