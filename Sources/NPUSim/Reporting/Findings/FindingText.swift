/// Findings as a page shows them.
public enum FindingText {
  /// A paragraph for each finding: statement, sites, fix.
  public static func lines(_ findings: [RunReport.Described], _ style: TextStyle) -> [String] {
    var lines: [String] = []
    for finding in findings {
      let label = "\(finding.severity.rawValue)[\(finding.code.rawValue)]"
      let painted = finding.severity == .error ? style.bad(label) : style.warning(label)
      lines.append("\(painted) \(style.bold(finding.code.title)): \(finding.message)")
      for site in finding.sites { lines += self.lines(site.place, site.time, style) }
      if let place = finding.declaration, finding.sites.isEmpty {
        lines += self.lines(place, nil, style)
      } else if let place = finding.declaration, let location = place.location {
        lines.append("  declared at \(location.file):\(location.line):\(location.column)")
        if let line = place.line { lines.append(style.dim("     | ") + line) }
      }
      if let bytes = finding.bytes { lines.append("  on \(bytes)") }
      if let missing = finding.missing { lines.append("  missing: \(style.bold(missing))") }
      if finding.folded > 0 {
        let others = finding.cores - 1
        lines.append(
          "  and \(Quantity.grouped(finding.folded)) more of the same kind"
            + (others > 0 ? ", also on \(others) other core\(others == 1 ? "" : "s")" : ""))
      }
      lines += pairs(finding)
      if let spare = finding.spare {
        lines += self.spare(spare, of: finding.sets)
      } else if let manifests = finding.manifests {
        lines.append(
          manifests
            ? "  it shows in this timing" : "  it is latent: it does not show in this timing")
        lines += turns(finding, manifests: manifests)
      }
      if let cause = finding.likelyCause { lines.append("  likely cause: \(style.bold(cause))") }
      if !finding.fix.isEmpty { lines.append("  \(style.good("fix")): \(finding.fix)") }
      if let trial = finding.trial {
        let isRace = !finding.pairs.isEmpty
        lines.append(
          "       \(sentence(trial))"
            + (isRace ? "; it mends the order, and says nothing of the meaning" : ""))
      }
    }
    return lines
  }

  /// Statements that are listed of a finding.
  private static let mostStatements = 24

  /// What else the missing edge would order: each later statement with those that it has to follow.
  private static func pairs(_ finding: RunReport.Described) -> [String] {
    guard finding.pairs.count > 1 else { return [] }
    var order: [String] = []
    var earlier: [String: [String]] = [:]
    for pair in finding.pairs {
      let name = name(pair.second.place)
      if earlier[name] == nil { order.append(name) }
      let first = Self.name(pair.first.place)
      if earlier[name]?.contains(first) != true { earlier[name, default: []].append(first) }
    }
    var lines = ["  it would order \(finding.pairs.count) pairs:"]
    for name in order.prefix(mostStatements) {
      let others = earlier[name] ?? []
      let isText = others.allSatisfy { $0.hasPrefix("line ") }
      let list =
        isText && others.count > 1
        ? "lines " + others.map { $0.dropFirst(5) }.joined(separator: ", ")
        : others.joined(separator: ", ")
      lines.append("     \(name) after \(list)")
    }
    if order.count > mostStatements {
      lines.append("     and \(order.count - mostStatements) more")
    }
    return lines
  }

  /// `line 12`; where there is no text, `#3 vector.exp`.
  private static func name(_ place: FindingPlace) -> String {
    if let location = place.location { return "line \(location.line)" }
    return place.text.split(separator: " ").prefix { !$0.contains("[") && !$0.contains(",") }
      .joined(separator: " ")
  }

  /// How many of the races that are folded show, where the one that is printed does not say it.
  private static func turns(_ finding: RunReport.Described, manifests: Bool) -> [String] {
    let showing = finding.pairs.clampedSum { $0.showing ?? 0 }
    let all = finding.pairs.clampedSum(\.races)
    guard all > 1, manifests ? showing < all : showing > 0 else { return [] }
    return [
      "  of the \(Quantity.grouped(all)) races it stands for, \(Quantity.grouped(showing)) show"
    ]
  }

  /// Whether a set comes before its wait in the program's own timing, and how near the others come.
  private static func spare(_ spare: Finding.Spare, of count: Int) -> [String] {
    var lines = [
      spare.printed < 0
        ? "  it shows in this timing: the set comes \(cycles(-spare.printed)) too early"
        : "  it is latent: \(cycles(spare.printed)) to spare in this timing"
    ]
    if count > 1 {
      lines.append(
        "  of the \(Quantity.grouped(count)) sets it stands for, \(Quantity.grouped(spare.showing)) "
          + (spare.least < 0
            ? "come too early, the worst by \(cycles(-spare.least))"
            : "come too early; the nearest has \(cycles(spare.least)) to spare"))
    }
    return lines
  }

  /// Where a micro-op stands, its line if it is written in a file, what it is and when it executes.
  private static func lines(
    _ place: FindingPlace, _ time: Finding.SiteTime?, _ style: TextStyle
  ) -> [String] {
    var origin: [String] = []
    if let location = place.location {
      origin.append(
        "\(ForeignText.visible(location.file)):\(location.line):\(location.column)"
          + (place.turns.isEmpty ? "" : " (\(place.turns))"))
    }
    if !place.scope.isEmpty { origin.append(place.scope) }
    var when: [String] = place.queue.isEmpty ? [] : [place.queue]
    if let time {
      when.append(
        "cycles \(Quantity.grouped(time.start)) to \(Quantity.grouped(time.free))"
          + (time.visible > time.free ? ", results at \(Quantity.grouped(time.visible))" : ""))
    }
    let what = place.text + (when.isEmpty ? "" : style.dim(" (\(when.joined(separator: ", ")))"))
    if origin.isEmpty { return ["  at \(what)"] }
    var lines = ["  at \(origin.joined(separator: ", "))"]
    if let line = place.line { lines.append(style.dim("     | ") + ForeignText.visible(line)) }
    return lines + ["     \(what)"]
  }

  /// What trying the fix showed.
  private static func sentence(_ trial: FixTrial) -> String {
    var parts: [String] = []
    if let cost = trial.cost, let before = trial.cyclesBefore, let after = trial.cyclesAfter {
      let change =
        cost == 0
        ? "costs nothing"
        : cost > 0
          ? "costs \(cycles(cost))"
          : "gains \(cycles(-cost))"
      parts.append(
        "\(change) (\(Quantity.grouped(before)) before, \(Quantity.grouped(after)) after)")
    } else if let after = trial.cyclesAfter {
      parts.append("the program then takes \(Quantity.grouped(after)) cycles")
    }
    parts.append(trial.removesFinding ? "it removes the finding" : "it does not suffice alone")
    if trial.missingIdentifiers > 0 {
      parts.append(
        "it needs \(trial.missingIdentifiers) event IDs more than the machine has between the queues"
      )
    }
    return "tried: " + parts.joined(separator: "; ")
  }

  private static func cycles(_ count: Int64) -> String {
    "\(Quantity.grouped(count)) cycle\(count == 1 ? "" : "s")"
  }
}
