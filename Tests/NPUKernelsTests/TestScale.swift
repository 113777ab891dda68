import Foundation

/// How much of the randomised and the long suites a run takes.
enum TestScale {
  /// Whether everything is wanted: `NPUSIM_FULL=1`. Otherwise suites take a seeded tenth.
  static let isFull = ProcessInfo.processInfo.environment["NPUSIM_FULL"] == "1"
}
