import NPUSim

/// What the clock says of a program: its cycles, what bounds them, and the chain that binds.
struct RunTiming: Sendable {
  /// Most micro-ops whose instants are kept: 32 bytes each, which the chain that binds is worth.
  private static let timelineLimit = 4_000_000

  let result: TimingResult
  let bounds: Bounds
  private let binding: [(what: String, cycles: Int64)]
  private let traffic: TrafficSummary

  /// Throws as ``TimingEngine/run(_:_:)``.
  init(_ program: Program, work: CompulsoryWork?) throws(NPUError) {
    let options = TimingOptions(timeline: program.opCount <= Self.timelineLimit)
    result = try TimingEngine.run(program, options)
    let path = try BindingPath.of(program, result, options)
    binding = path?.shares.map { ($0.label, $0.cycles) } ?? []
    traffic = TrafficSummary(program)
    bounds = try Bounds.of(program, compulsory: work)
  }

  /// The lints that need cycles, of the program that was timed.
  func lints(_ program: Program) throws(NPUError) -> [Finding] {
    try TimedLints.findings(program, timing: result, bounds: bounds)
  }

  /// The same for a report.
  func timing(of kernel: any Kernel) -> RunReport.Timing {
    var timing = RunReport.Timing(
      result, machine: kernel.machine, items: kernel.throughput.count,
      unit: kernel.throughput.unit, macs: traffic.macs)
    timing.bounds = bounds
    timing.binding = binding
    return timing
  }

  /// Adds it to a report, with the lints that need cycles if they are asked for.
  func add(
    to report: inout RunReport, _ request: RunRequest, _ kernel: any Kernel, _ program: Program
  ) throws(NPUError) {
    if request.lints && !report.hasErrors {
      report.findings += FixTrials.annotate(try lints(program), of: program)
        .map { RunReport.Described($0, in: program) }
    }
    report.timing = timing(of: kernel)
    report.traffic = RunReport.Traffic(traffic)
  }
}
