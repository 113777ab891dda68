#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Measures how fast something goes.
enum Stopwatch {
  /// Which seconds count.
  enum Clock {
    /// Processor time of the calling thread: what runs beside it counts less.
    case thread
    /// Time as it passes: for what several threads do together.
    case wall

    /// Now, in seconds.
    var seconds: Double {
      var time = timespec()
      clock_gettime(self == .thread ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time)
      return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
  }

  /// The median rate of several samples, in units of `amount` a second.
  ///
  /// - Parameters:
  ///   - amount: what one call of `body` does, in any unit.
  ///   - samples: how many samples; each repeats `body` for at least `sampleSeconds`.
  static func rate<Failure: Error>(
    amount: Double, samples: Int, sampleSeconds: Double = 0.05, clock: Clock = .thread,
    _ body: () throws(Failure) -> Void
  ) throws(Failure) -> Double {
    // The first call warms caches and page tables, and tells how many calls fill a sample.
    let first = try seconds(1, clock, body)
    let calls = max(1, Int(sampleSeconds / max(first, 1e-9)))
    var rates: [Double] = []
    for _ in 0..<max(1, samples) {
      let elapsed = try seconds(calls, clock, body)
      rates.append(amount * Double(calls) / max(elapsed, 1e-9))
    }
    rates.sort()
    return rates[rates.count / 2]
  }

  private static func seconds<Failure: Error>(
    _ calls: Int, _ clock: Clock, _ body: () throws(Failure) -> Void
  ) throws(Failure) -> Double {
    let start = clock.seconds
    for _ in 0..<calls { try body() }
    return clock.seconds - start
  }
}
