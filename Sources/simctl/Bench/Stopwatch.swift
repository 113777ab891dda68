/// Measures how fast something goes.
enum Stopwatch {
  /// The median rate of several samples, in units of `amount` a second.
  ///
  /// - Parameters:
  ///   - amount: what one call of `body` does, in any unit.
  ///   - samples: how many samples; each repeats `body` for at least `sampleSeconds`.
  static func rate<Failure: Error>(
    amount: Double, samples: Int, sampleSeconds: Double = 0.05,
    _ body: () throws(Failure) -> Void
  ) throws(Failure) -> Double {
    // The first call warms caches and page tables, and tells how many calls fill a sample.
    let first = try seconds(1, body)
    let calls = max(1, Int(sampleSeconds / max(first, 1e-9)))
    var rates: [Double] = []
    for _ in 0..<max(1, samples) {
      let elapsed = try seconds(calls, body)
      rates.append(amount * Double(calls) / max(elapsed, 1e-9))
    }
    rates.sort()
    return rates[rates.count / 2]
  }

  private static func seconds<Failure: Error>(
    _ calls: Int, _ body: () throws(Failure) -> Void
  ) throws(Failure) -> Double {
    let start = ContinuousClock.now
    for _ in 0..<calls { try body() }
    return (ContinuousClock.now - start) / .seconds(1)
  }
}
