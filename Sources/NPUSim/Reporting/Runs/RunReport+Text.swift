extension RunReport {
  /// The page: verdict first, then cycles, bounds, queues, bytes and numbers. At most 100 columns
  /// but for findings and the line of the schedule, which is one word, to be given to `--schedule`.
  public func text(_ style: TextStyle = .plain) -> String {
    var lines: [String] = []
    let dimensions = shape.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
    lines.append(
      style.bold(ForeignText.visible(kernel)) + (dimensions.isEmpty ? "" : "  \(dimensions)"))
    lines.append(row("machine", machine.words))
    if !parameters.isEmpty {
      lines += wrapped(
        "parameters", parameters.map { "\($0.name)=\($0.text)" }.joined(separator: " "))
    }
    if !schedule.isEmpty {
      lines.append(
        row("schedule", schedule.map { "\($0.name)=\($0.value)" }.joined(separator: ",")))
    }
    if let order { lines += wrapped("order", order.sentence) }
    if let costs = order?.costLine { lines += wrapped("costs", costs) }
    if let inputs { lines += page(inputs) }
    lines.append("")
    lines += verdict(style)
    if allowsHazards && hasErrors {
      lines.append(
        style.bad(
          "HAZARDS ALLOWED: the errors below stand; these cycles and values are not a result."))
    }
    if let timing {
      lines.append("")
      lines += page(timing, style)
    }
    if let traffic { lines += page(traffic) }
    if let numerics {
      lines.append("")
      lines += page(numerics, style)
    }
    if let expectation { lines += page(expectation, style) }
    if let jitter {
      let outcome =
        jitter.changed == 0 ? "no word changed" : "\(jitter.changed) runs changed a word"
      lines.append(
        row("jitter", "\(jitter.runs) timings randomised by \(jitter.percent) %: \(outcome)"))
    }
    if let minimisation { lines += page(minimisation) }
    if !findings.isEmpty {
      lines.append("")
      lines += FindingText.lines(findings, style)
    }
    return lines.joined(separator: "\n") + "\n"
  }

  func row(_ label: String, _ value: String) -> String { PageRow.line(label, value) }

  func wrapped(_ label: String, _ text: String) -> [String] { PageRow.lines(label, text) }

  private func verdict(_ style: TextStyle) -> [String] {
    let state =
      isClean
      ? style.good(verdictText) : style.bad(verdictText) + ", listed below"
    var lines = [row("verdict", state)] + wrapped("proof", check.statement)
    for item in check.outside { lines.append(row("", "outside the proof: \(item)")) }
    if let jointTrial { lines += wrapped("mending", jointTrial.sentence) }
    if let numerics {
      lines.append(row("numbers", comparison(numerics, style)))
      if findings.contains(where: { $0.code == .N001 }) {
        lines.append(row("", style.warning("NaN or infinite results: N001, listed below")))
      }
    }
    return lines
  }

  /// What the words were compared with, and what came of it.
  private func comparison(_ numerics: Numerics, _ style: TextStyle) -> String {
    guard let isBitExact = numerics.isBitExact else {
      return expectation == nil
        ? style.warning("not compared") + " with anything"
        : "compared with the expected tensors alone"
    }
    let coverage =
      numerics.checkedOutputs == numerics.totalOutputs
      ? "all \(Quantity.grouped(numerics.totalOutputs)) outputs"
      : "\(Quantity.grouped(numerics.checkedOutputs)) of "
        + "\(Quantity.grouped(numerics.totalOutputs)) outputs"
    let words = "\(coverage), \(Quantity.grouped(numerics.words)) words with intermediates"
    return isBitExact
      ? style.good("bit-exact") + ": \(words)"
      : style.bad("not bit-exact")
        + ": \(Quantity.grouped(numerics.mismatches)) differ of \(words)"
  }

  private func page(_ timing: Timing, _ style: TextStyle) -> [String] {
    var lines = [
      row(
        "cycles",
        "\(style.bold(Quantity.grouped(timing.cycles)))   \(Quantity.seconds(timing.seconds))   "
          + "\(Quantity.prefixed(timing.throughput.value, timing.throughput.unit + "/s"))   "
          + Quantity.prefixed(timing.macsPerSecond, "MAC/s"))
    ]
    if let launch = timing.launch {
      lines.append(
        row(
          "launch",
          "\(Quantity.grouped(launch.cycles)) cycles more, from the host and back   "
            + Quantity.seconds(launch.seconds)))
    }
    if let bounds = timing.bounds {
      let cycles = Double(timing.cycles)
      lines.append(
        row(
          "bounds",
          "roofline \(Quantity.grouped(bounds.roofline)) (\(bounds.rooflineResource.name)"
            + "\(bounds.usesProgramWork ? ", for the program's own work" : "")), "
            + "attainable \(Quantity.grouped(bounds.attainable)), critical path "
            + Quantity.grouped(bounds.criticalPath)))
      lines.append(
        row("reached", "\(Quantity.percent(Double(bounds.attainable), of: cycles)) of attainable"))
    }
    if !timing.binding.isEmpty {
      let total = Double(timing.cycles)
      let parts = timing.binding.prefix(4).map {
        "\($0.what) \(Quantity.percent(Double($0.cycles), of: total))"
      }
      lines += wrapped("bound by", parts.joined(separator: ", "))
    }
    for (number, advice) in Advice.sentences(timing, cores: machine.cores).enumerated() {
      lines += wrapped(number == 0 ? "advice" : "", advice)
    }
    lines.append("")
    lines.append(
      style.dim(
        Self.columns(["queue", "ops", "busy", "busy %", "top stall", "cycles", "then", "cycles"])))
    let total = Double(timing.cycles) * Double(max(1, timing.cores.count))
    for (queue, row) in zip(Queue.allCases, timing.queues) {
      let stalls = StallReason.allCases.map { ($0, row[$0]) }.filter { $0.1 > 0 }
        .sorted { $0.1 > $1.1 }
      var cells = [
        queue.name, Quantity.grouped(row.ops), Quantity.grouped(row.busy),
        total > 0 ? Quantity.fixed(Double(row.busy) / total * 100, 1) : "–",
      ]
      for stall in stalls.prefix(2) { cells += [stall.0.rawValue, Quantity.grouped(stall.1)] }
      lines.append(Self.columns(cells))
    }
    lines.append("")
    return lines
  }

  /// Cells in fixed columns: names left, numbers right.
  private static func columns(_ cells: [String]) -> String {
    let widths = [-8, 9, 13, 7, -12, 12, -12, 12]
    var line = ""
    for (cell, width) in zip(cells, widths) {
      let padding = String(repeating: " ", count: max(0, abs(width) - cell.count))
      line += width < 0 ? cell + padding : padding + cell
      line += width == 7 || width == 12 ? "  " : ""
    }
    while line.last == " " { line.removeLast() }
    return line
  }

  private func page(_ traffic: Traffic) -> [String] {
    [
      row(
        "bytes",
        "hbm read \(Quantity.bytes(traffic.hbmRead)) "
          + "(\(Quantity.bytes(traffic.hbmReadBursts)) in bursts), written "
          + "\(Quantity.bytes(traffic.hbmWritten)) "
          + "(\(Quantity.bytes(traffic.hbmWrittenBursts)) in bursts)"),
      row("macs", Quantity.grouped(traffic.macs)),
    ]
  }

  private func page(_ numerics: Numerics, _ style: TextStyle) -> [String] {
    var lines = errors(numerics, style)
    if numerics.reachedOutputs > 0 {
      lines.append(
        row(
          "",
          style.warning(
            "NaN or infinities at keys that their rows do not see reached "
              + "\(Quantity.grouped(numerics.reachedOutputs)) outputs, by the definition: 0 · NaN"))
      )
    }
    if let rows = numerics.tiedRows {
      lines.append(
        row(
          "ties",
          "\(Quantity.grouped(rows)) verified rows have several largest elements; the lowest index wins"
        ))
    }
    if numerics.inputNaNs > 0 || numerics.inputInfinities > 0 {
      lines.append(
        row(
          "inputs",
          style.warning(
            "\(Quantity.grouped(numerics.inputNaNs)) NaN and "
              + "\(Quantity.grouped(numerics.inputInfinities)) infinite elements")))
    }
    return lines
  }
}
