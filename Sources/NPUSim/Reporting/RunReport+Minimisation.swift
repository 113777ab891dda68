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

  /// The same facts as ``page(_:)``.
  static func value(_ minimisation: Minimisation) -> JSONValue {
    [
      "events": .integer(minimisation.events),
      "removable_events": .integer(minimisation.removedEvents),
      "barriers": .integer(minimisation.barriers),
      "removable_barriers": .integer(minimisation.removedBarriers),
      "cycles_before": minimisation.cyclesBefore.map { .integer($0) } ?? .null,
      "cycles_after": minimisation.cyclesAfter.map { .integer($0) } ?? .null,
      "groups": .array(
        minimisation.groups.map {
          [
            "what": .string($0.what), "count": .integer($0.count),
            "first": .array($0.sites.map { .string($0) }),
          ]
        }),
    ]
  }
}
