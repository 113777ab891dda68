// The two parameters that meet in one field: a description states the HBM bandwidth in bytes a
// second, a configuration keeps it in bytes a cycle, exactly.

extension ConfigurationParameter {
  private static let nano: Int64 = 1_000_000_000

  /// The clock. Changing it keeps the bandwidth of HBM in bytes a second.
  static let clock = ConfigurationParameter(
    "clock_ghz", unit: "GHz", "the one clock of the chip",
    read: { .fraction($0.clockHz, over: nano) },
    write: { (value, configuration) throws(NPUError) in
      let hertz = try billions(
        value, "clock_ghz", upTo: 1000 * nano, needed: "a number from 0.000000001 to 1000")
      let previous = configuration.hbm.rate
      if !previous.isUnlimited {
        guard let rate = rescaled(previous, from: configuration.clockHz, to: hertz) else {
          throw NPUError(
            .configuration,
            "clock_ghz is \(value.summary), at which the HBM bandwidth in bytes per cycle is not a "
              + "fraction whose lowest terms are below 2^31",
            at: value.location, hint: "use a clock with fewer digits")
        }
        configuration.hbm.rate = rate
      }
      configuration.clockHz = hertz
    })

  /// The bandwidth of HBM for the whole chip.
  static let bandwidth = ConfigurationParameter(
    "hbm.bandwidth_gb_per_s", unit: "GB/s", "bandwidth of the whole chip, 10^9 bytes a second",
    read: { configuration in
      let rate = configuration.hbm.rate
      if rate.isUnlimited { return "unlimited" }
      let (perSecond, overflow) = rate.numerator.multipliedReportingOverflow(
        by: configuration.clockHz)
      let (unit, unitOverflow) = rate.denominator.multipliedReportingOverflow(by: nano)
      guard !overflow, !unitOverflow, let reduced = Rate(perSecond, over: unit) else {
        return .double(rate.approximate * Double(configuration.clockHz) / Double(nano))
      }
      return .fraction(reduced.numerator, over: reduced.denominator)
    },
    write: { (value, configuration) throws(NPUError) in
      if case .string("unlimited") = value.content {
        configuration.hbm.rate = .unlimited
        return
      }
      let bytes = try billions(
        value, "hbm.bandwidth_gb_per_s", upTo: 1_000_000 * nano,
        needed: "a number from 0.000000001 to 1000000, or \"unlimited\"")
      guard let rate = Rate(bytes, over: configuration.clockHz), rate.isRepresentable else {
        throw NPUError(
          .configuration,
          "hbm.bandwidth_gb_per_s is \(value.summary), which in bytes per cycle of this clock is "
            + "not a fraction whose lowest terms are below 2^31",
          at: value.location, hint: "use a bandwidth with fewer digits")
      }
      configuration.hbm.rate = rate
    })

  /// A positive number of at most nine decimals, times 10^9.
  private static func billions(
    _ value: JSONValue, _ path: String, upTo limit: Int64, needed: String
  ) throws(NPUError) -> Int64 {
    if case .number(let number) = value.content, let parts = number.fraction, parts.numerator > 0,
      nano % parts.denominator == 0
    {
      let (scaled, overflow) = parts.numerator.multipliedReportingOverflow(
        by: nano / parts.denominator)
      if !overflow && scaled <= limit { return scaled }
    }
    throw .mismatch(value, path, "\(needed), with at most nine decimals")
  }

  /// The rate at clock `new` that moves as many bytes a second as `rate` at clock `old`.
  private static func rescaled(_ rate: Rate, from old: Int64, to new: Int64) -> Rate? {
    guard let clocks = Rate(old, over: new), let result = rate.times(clocks),
      result.isRepresentable
    else { return nil }
    return result
  }
}
