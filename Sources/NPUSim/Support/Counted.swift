extension Int {
  /// The number and what it counts, in the singular where it is 1: `1 core`, `2 cores`.
  public func counted(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}
