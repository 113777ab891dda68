extension RunReport {
  /// What synchronisation can go, and what that gains.
  func page(_ minimisation: Minimisation) -> [String] {
    var lines = [
      row(
        "minimise",
        "\(Quantity.grouped(minimisation.removedEvents)) of "
          + "\(Quantity.grouped(minimisation.events)) events and "
          + "\(Quantity.grouped(minimisation.removedBarriers)) of "
          + "\(Quantity.grouped(minimisation.barriers)) barriers can go")
    ]
    if let before = minimisation.cyclesBefore, let after = minimisation.cyclesAfter,
      minimisation.removedEvents + minimisation.removedBarriers > 0
    {
      lines.append(
        row(
          "",
          "cycles \(Quantity.grouped(before)) with them, \(Quantity.grouped(after)) without: "
            + "\(Quantity.grouped(before - after)) gained"))
    }
    for group in minimisation.groups {
      lines.append(row("", "\(group.count) times \(group.what), the first at"))
      lines += group.sites.map { row("", "  \($0)") }
    }
    return lines
  }
}
