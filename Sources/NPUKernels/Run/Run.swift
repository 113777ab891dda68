import NPUSim

/// One run, as far as its plan goes, with everything that it found.
public struct Run: Sendable {
  public let program: Program
  /// What pages, JSON and verdicts are made from.
  public internal(set) var report: RunReport
  /// `nil` where no values were executed.
  var tensors: RunTensors?

  /// Every input, intermediate and output by name, as the datapath had it. Throws `.usage` when no
  /// values were executed.
  public func dump() throws(NPUError) -> TensorSet {
    guard let tensors else {
      throw NPUError(
        .usage, "there are no values to dump", hint: "run without --no-values, on a clean program")
    }
    return try tensors.dump()
  }
}
