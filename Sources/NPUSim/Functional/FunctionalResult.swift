/// What executing a program's values gave beside the tensors in HBM.
public struct FunctionalResult: Sendable {
  /// The tensors that taps filled, in the order of ``Program/tapTensors``.
  public var taps: [TapTensor]
  /// What the results contained.
  public var numerics: NumericReport

  public init(taps: [TapTensor], numerics: NumericReport) {
    self.taps = taps
    self.numerics = numerics
  }

  /// The numeric warnings: N001 where a NaN or infinity was produced, N002 where a code saturated,
  /// N003 where a BF16 accumulator drifts.
  public func findings(_ program: Program) -> [Finding] { numerics.findings(program) }
}

/// What the results of micro-ops contained, over a whole program.
///
/// Counted are elements as they are rounded to a result, by what their operands were
/// (``OperandKind``). Micro-ops that choose among existing values (maximum, mask, select, copy, fill)
/// produce none and count nothing.
public struct NumericReport: Sendable, Hashable {
  public var health = NumericHealth()
  /// The first micro-op that produced a NaN or an infinity: first in its core's list, of the lowest
  /// core.
  public var firstNonFinite: Finding.Site?
  /// The first micro-op that clamped a code, likewise.
  public var firstSaturated: Finding.Site?
  /// The first matmul in which a followed chain of a BF16 accumulator drifts, likewise.
  public var firstDrifting: Finding.Site?

  public init() {}

  /// What was found on each core, from core 0 on.
  init(_ cores: [NumericTally]) {
    for (core, tally) in cores.enumerated() {
      let site = { (op: Int?) in op.map { Finding.Site(core: core, op: $0) } }
      health.add(tally.health)
      firstNonFinite = firstNonFinite ?? site(tally.firstNonFinite)
      firstSaturated = firstSaturated ?? site(tally.firstSaturated)
      firstDrifting = firstDrifting ?? site(tally.firstDrifting)
    }
  }

  /// N001, N002 and N003 where they apply.
  public func findings(_ program: Program) -> [Finding] {
    var result: [Finding] = []
    if let site = firstNonFinite {
      result.append(
        Finding(
          .N001,
          "\(health.nans) NaN and \(health.infinities) infinite results; "
            + "the first from \(program.describe(site))",
          sites: [site], fix: "look at the sources of that micro-op, or at the inputs"))
    }
    if let site = firstSaturated {
      result.append(
        Finding(
          .N002,
          "\(health.saturated) codes were clamped to the largest finite value; "
            + "the first by \(program.describe(site))",
          sites: [site], fix: "scale the values before they are converted"))
    }
    if let site = firstDrifting {
      let permille = Int(health.largestDrift * 1000)
      result.append(
        Finding(
          .N003,
          "\(health.drifting) of the chains followed in BF16 accumulators rounded away addends that "
            + "together are \(permille / 10).\(permille % 10) % of the accumulator; the first in "
            + program.describe(site),
          sites: [site], fix: "accumulate in FP32, or cut the sum in pieces"))
    }
    return result
  }
}

extension Program {
  /// A micro-op as `core 0 micro-op 12 (vector.exp) in tile[3]`.
  func describe(_ site: Finding.Site) -> String {
    guard cores.indices.contains(site.core), cores[site.core].indices.contains(site.op) else {
      return "core \(site.core) micro-op \(site.op)"
    }
    let record = cores[site.core][site.op]
    let scope = scopePath(record.scope)
    return "core \(site.core) micro-op \(site.op) (\(mnemonic(record)))"
      + (scope.isEmpty ? "" : " in \(scope)")
  }
}
