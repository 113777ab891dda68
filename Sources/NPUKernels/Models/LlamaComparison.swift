import NPUSim

/// A run's dump beside somebody's: where it first leaves it, in the order in which launches ran.
public struct LlamaComparison: Sendable {
  /// The first element that is not the expected one.
  public struct First: Sendable {
    /// The name in the dump.
    public let stage: String
    /// The position of the first token of the pass that made it.
    public let position: Int
    public let difference: RunReport.Expectation.Difference

    /// Where it is and both words, in one line.
    public var text: String {
      "\(stage)\(difference.text), in the pass from position \(position) on"
    }
  }

  /// Elements that were compared, and of how many tensors.
  public fileprivate(set) var words = 0
  public fileprivate(set) var tensors = 0
  /// Elements that differ and are not accepted, and the tensors that have some.
  public fileprivate(set) var beyond = 0
  public fileprivate(set) var differing: [String] = []
  /// Elements that differ and are accepted.
  public fileprivate(set) var close = 0
  public fileprivate(set) var first: First?
  /// What of the file no tensor of the run is.
  public let ignored: [RunReport.Ignored]

  public var isEqual: Bool { beyond == 0 }

  /// Compares element by element, event by event.
  ///
  /// - Throws: `.tensor` where the run does not have a tensor that it was to have.
  init(_ plan: ExpectationPlan, _ record: LlamaRecord) throws(NPUError) {
    ignored = plan.ignored
    var expected: [String: ComparedTensor] = [:]
    for pair in plan.pairs { expected[pair.name] = pair.expected }
    tensors = expected.count
    let dump = try record.dump()
    var differing: Set<String> = []
    for event in record.events {
      guard let expected = expected[event.name], let tensor = dump[event.name] else { continue }
      let pair = Pair(found: tensor, expected: expected, closeness: plan.closeness)
      let row = tensor.elementCount / max(1, tensor.shape[0])
      for element in event.rows.lowerBound * row..<event.rows.upperBound * row {
        words += 1
        switch pair.judgement(element) {
        case .equal: continue
        case .close: close += 1
        case .apart:
          beyond += 1
          if differing.insert(event.name).inserted { self.differing.append(event.name) }
          if first == nil {
            first = First(
              stage: event.name, position: event.position,
              difference: pair.difference(element))
          }
        }
      }
    }
  }

  /// A tensor of the run and what it is compared with.
  private struct Pair {
    let found: Tensor
    let expected: ComparedTensor
    let closeness: Closeness

    /// What is expected, where both sides have words of one type.
    private var sameType: Tensor? {
      guard case .words(let tensor) = expected, tensor.dtype == found.dtype else { return nil }
      return tensor
    }

    func judgement(_ element: Int) -> Closeness.Judgement {
      if let sameType, sameType.word(at: element) == found.word(at: element) { return .equal }
      if closeness == .bits { return .apart }
      return closeness.judge(
        found: found.value(at: element), expected: expected.value(at: element),
        on: found.dtype.numberLine)
    }

    func difference(_ element: Int) -> RunReport.Expectation.Difference {
      let isSame = sameType != nil
      return RunReport.Expectation.Difference(
        place: ExpectationCheck.index(element, found.shape),
        found: ComparedTensor.words(found).text(at: element, withWord: isSame),
        expected: expected.text(at: element, withWord: isSame),
        ulps: found.dtype.numberLine?.steps(
          found.value(at: element), expected.value(at: element)), writer: nil)
    }
  }
}
