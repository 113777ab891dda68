extension BindingPath.Share {
  /// The share in words: `load hbm_to_l1 (hbm)`, `dispatch`, `others`.
  public var label: String {
    var text = queue.map { "\($0.name) \(work)" } ?? work
    if let cause, cause != .occupancy, cause.rawValue != work { text += " (\(cause.rawValue))" }
    return text
  }
}
