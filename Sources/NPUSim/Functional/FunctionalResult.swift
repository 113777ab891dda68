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
/// Counted are elements as they are rounded to a result. Micro-ops that choose among existing
/// values (maximum, mask, select, copy, fill) produce none and count nothing.
public struct NumericReport: Sendable, Hashable {
  public var health = NumericHealth()
  /// The first micro-op that produced a NaN or an infinity: first by execution on its core, the
  /// lowest core of several.
  public var firstNonFinite: Finding.Site?
  /// The first micro-op that clamped a code, likewise.
  public var firstSaturated: Finding.Site?
  /// The first matmul in which a followed chain of a BF16 accumulator drifts, likewise.
  public var firstDrifting: Finding.Site?

  public init() {}

  /// Adds what a later micro-op, or a higher core, found.
  mutating func join(_ other: NumericReport) {
    health.nans += other.health.nans
    health.infinities += other.health.infinities
    health.saturated += other.health.saturated
    health.drifting += other.health.drifting
    health.largestDrift = max(health.largestDrift, other.health.largestDrift)
    firstNonFinite = firstNonFinite ?? other.firstNonFinite
    firstSaturated = firstSaturated ?? other.firstSaturated
    firstDrifting = firstDrifting ?? other.firstDrifting
  }

  /// Notes what a micro-op added to the counts of its core.
  mutating func note(_ total: NumericHealth, core: Int, op: Int) {
    let site = Finding.Site(core: core, op: op)
    if firstNonFinite == nil && (total.nans > 0 || total.infinities > 0) { firstNonFinite = site }
    if firstSaturated == nil && total.saturated > 0 { firstSaturated = site }
    if firstDrifting == nil && total.drifting > 0 { firstDrifting = site }
    health = total
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
