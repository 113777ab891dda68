/// How far a run goes. Each plan does what the ones before it do.
public enum RunPlan: Int, Sendable, Hashable, Comparable, CaseIterable {
  /// The checker's verdict, with the lints that are asked for; nothing is tried.
  case verdict
  /// Fixes are tried in the program's own timing.
  case check
  /// A program without errors is timed.
  case timing
  /// Its values are executed and compared.
  case values

  public static func < (a: RunPlan, b: RunPlan) -> Bool { a.rawValue < b.rawValue }
}
