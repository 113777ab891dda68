// What a report takes from what the engines found.

extension RunReport {
  /// A report of a program that was checked; the other parts are added as they are run.
  public init(
    kernel: String, shape: [(name: String, value: String)],
    schedule: [(name: String, value: ScheduleValue)], seed: UInt64, machine: MachineConfiguration,
    check: CheckResult, program: Program
  ) {
    self.init(
      kernel: kernel, shape: shape, schedule: schedule, seed: seed, machine: Machine(machine),
      check: Check(check.proof), findings: check.findings.map { Described($0, in: program) })
  }
}

extension MachineConfiguration {
  /// The machine as reports have it: `name`, `cores`, `clock_hz` and `config`, every parameter.
  public var reported: JSONValue { RunReport.Machine(self).json }
}

extension RunReport.Machine {
  /// What is reported of a machine.
  init(_ machine: MachineConfiguration) {
    self.init(
      name: machine.name, cores: machine.cores, clockHz: machine.clockHz, config: machine.json)
  }
}

extension RunReport.Check {
  init(_ proof: Proof) {
    self.init(
      isProved: proof.isProved, statement: Self.statement(proof), microOps: proof.microOps,
      events: proof.events, barriers: proof.barriers, outside: proof.outside)
  }

  /// What was proved, in one line.
  private static func statement(_ proof: Proof) -> String {
    func amount(_ count: Int, _ noun: String) -> String {
      "\(Quantity.grouped(count)) \(noun)\(count == 1 ? "" : "s")"
    }
    var parts = [amount(proof.microOps, "micro-op"), amount(proof.events, "event")]
    if proof.barriers > 0 { parts.append(amount(proof.barriers, "barrier")) }
    if proof.cores > 1 { parts.append(amount(proof.cores, "core")) }
    let claim =
      proof.isProved
      ? "free of races, uninitialised reads and deadlock for every timing" : "not proved"
    return "\(claim): \(parts.joined(separator: ", "))"
  }
}

extension RunReport.Timing {
  /// A timing of `items` items of `unit` and `macs` multiply-accumulates on `machine`.
  public init(
    _ result: TimingResult, machine: MachineConfiguration, items: Double, unit: String,
    macs: Int64
  ) {
    let seconds = machine.seconds(result.cycles)
    let rate = seconds > 0 ? 1 / seconds : 0
    let queues = Queue.allCases.map { queue in
      var sum = QueueTiming.blank
      for core in result.cores {
        let one = core.queues[queue.index]
        sum.ops += one.ops
        sum.busy += one.busy
        for reason in StallReason.allCases { sum.stalls[reason.index] += one[reason] }
      }
      return sum
    }
    self.init(
      cycles: result.cycles, seconds: seconds, throughput: (items * rate, unit),
      macsPerSecond: Double(macs) * rate, binding: [], queues: queues, cores: result.cores)
    if machine.launchCycles > 0 {
      launch = RunReport.Launch(
        cycles: machine.launchCycles, seconds: machine.seconds(machine.launchCycles))
    }
  }
}

extension RunReport.Traffic {
  public init(_ summary: TrafficSummary) {
    self.init(
      hbmRead: summary.hbmRead, hbmWritten: summary.hbmWritten,
      hbmReadBursts: summary.hbmReadBursts, hbmWrittenBursts: summary.hbmWrittenBursts,
      macs: summary.macs)
  }
}
