import NPUSim

/// What the errors of a run's tensors are worth saying.
public enum ErrorFindings {
  /// N004 where elements are beyond their bounds, and N005 where independent roundings do not explain
  /// an error; each names the first such tensor, and the others after it.
  public static func findings(_ tensors: [RunReport.TensorError]) -> [Finding] {
    var findings: [Finding] = []
    let beyond = tensors.filter { $0.beyondBound > 0 }
    if let first = beyond.first {
      findings.append(
        Finding(
          .N004,
          "\(Quantity.grouped(first.beyondBound)) elements of \(first.name) are further from the "
            + "exact values of their stage than its bound allows" + others(beyond),
          fix: "the reference and the bound disagree: report this"))
    }
    let unexplained = tensors.filter { $0.judgement == .unexplained }
    if let first = unexplained.first, let error = first.rmsError, let rms = first.rms,
      let expected = first.expected
    {
      findings.append(
        Finding(
          .N005,
          "\(first.name) is off by \(Quantity.significant(error)) rms, where its exact values have "
            + "\(Quantity.significant(rms)) and independent roundings would give "
            + Quantity.significant(expected) + others(unexplained),
          fix: "compare the tensor before it, or accumulate in FP32 where a long sum drifts"))
    }
    return findings
  }

  private static func others(_ tensors: [RunReport.TensorError]) -> String {
    tensors.count < 2
      ? "" : "; likewise \(tensors.dropFirst().map(\.name).joined(separator: ", "))"
  }
}
