extension Bounds {
  /// The bounds as `bounds` in reports.
  public var json: JSONValue {
    [
      "roofline_cycles": .integer(roofline), "roofline_resource": .string(rooflineResource),
      "roofline_of_program": .bool(usesProgramWork),
      "attainable_cycles": .integer(attainable),
      "attainable_resource": .string(attainableResource),
      "critical_path_cycles": .integer(criticalPath), "serial_sum_cycles": .integer(serialSum),
    ]
  }
}

extension BindingPath.Share {
  /// The share in words: `load hbm_to_l1 (hbm)`, `dispatch`, `others`.
  public var label: String {
    var text = queue.map { "\($0.name) \(work)" } ?? work
    if let cause, cause != .occupancy, cause.rawValue != work { text += " (\(cause.rawValue))" }
    return text
  }
}
