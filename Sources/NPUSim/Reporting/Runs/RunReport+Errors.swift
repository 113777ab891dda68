extension RunReport {
  /// The errors of the compared tensors, the worst first, each in its own unit.
  func errors(_ numerics: Numerics, _ style: TextStyle) -> [String] {
    let tensors = numerics.tensors.worstFirst
    guard !tensors.isEmpty else { return [] }
    let width = max(6, tensors.map(\.name.count).max() ?? 0) + 2
    let header = ["rms error", "of its rms", "expected", "max error", "of bound"]
    var lines = [row("error", style.dim(Self.cells("tensor", header, width)))]
    for tensor in tensors {
      let number = { (value: Double?) in value.map { Quantity.significant($0) } ?? "–" }
      let share = { (value: Double?) in value.map { Quantity.percent($0, of: 1) } ?? "–" }
      let cells = [
        number(tensor.rmsError), share(tensor.relative), number(tensor.expected),
        number(tensor.maximum), share(tensor.worstOfBound),
      ]
      lines.append(row("", Self.cells(tensor.name, cells, width)))
    }
    if let note = numerics.errorNote { lines += wrapped("", note) }
    if numerics.beyondBound > 0 {
      lines.append(
        row(
          "", style.bad("\(Quantity.grouped(numerics.beyondBound)) elements beyond their bound")))
    }
    let undecided = tensors.filter { $0.judgement == .undecided }.map(\.name)
    if !undecided.isEmpty {
      lines += wrapped(
        "",
        "roundings alone may move these by a quarter of their values, so their errors cannot be "
          + "judged: \(undecided.joined(separator: ", "))")
    }
    let unknown = tensors.filter { $0.nonFinite > 0 }.map {
      "\(Quantity.grouped($0.nonFinite)) of \($0.name)"
    }
    if !unknown.isEmpty {
      lines += wrapped(
        "",
        "no error is defined where values are not finite: "
          + unknown.joined(separator: ", ")
      ).map(style.warning)
    }
    return lines
  }

  private static func cells(_ name: String, _ cells: [String], _ width: Int) -> String {
    let padded = cells.map { String(repeating: " ", count: max(1, 12 - $0.count)) + $0 }
    return name + String(repeating: " ", count: max(1, width - name.count)) + padded.joined()
  }
}
