/// What a run has to say: the verdict, and what stands behind it. Text and JSON are made from it.
///
/// Parts that were not run are `nil`. The same run gives the same report.
public struct RunReport: Sendable {
  /// The version of the JSON form.
  public static let schema = "npusim.run.v1"

  /// The machine that ran.
  public struct Machine: Sendable {
    public var name: String
    public var cores: Int
    public var clockHz: Int64
    /// The whole effective configuration.
    public var config: JSONValue

    /// What is reported of a machine.
    init(_ machine: MachineConfiguration) {
      name = machine.name
      cores = machine.cores
      clockHz = machine.clockHz
      config = machine.json
    }

    /// Name, cores and clock, as a page has them.
    var words: String {
      "\(ForeignText.visible(name)), \(cores == 1 ? "1 core" : "\(cores) cores"), "
        + Quantity.prefixed(Double(clockHz), "Hz")
    }

    /// As the JSON of a report has it.
    var json: JSONValue {
      [
        "name": .string(name), "cores": .integer(cores), "clock_hz": .integer(clockHz),
        "config": config,
      ]
    }
  }

  /// The schedule's proof.
  public struct Check: Sendable {
    public var isProved: Bool
    /// The claim in one line.
    public var statement: String
    public var microOps: Int
    public var events: Int
    public var barriers: Int
    /// What lies outside the proof.
    public var outside: [String]
  }

  /// Cycles and what they were spent on.
  public struct Timing: Sendable {
    public var cycles: Int64
    public var seconds: Double
    /// Items a second, and the unit.
    public var throughput: (value: Double, unit: String)
    /// Multiply-accumulates a second.
    public var macsPerSecond: Double
    public var bounds: Bounds?
    /// Cycles of the longest contended chain by what it went through, largest first.
    public var binding: [(what: String, cycles: Int64)]
    /// Summed over cores, by queue.
    public var queues: [QueueTiming]
    public var cores: [CoreTiming]

    /// A timing of `items` items of `unit` and `macs` multiply-accumulates on `machine`.
    public init(
      _ result: TimingResult, machine: MachineConfiguration, items: Double, unit: String,
      macs: Int64
    ) {
      cycles = result.cycles
      seconds = machine.seconds(result.cycles)
      let rate = seconds > 0 ? 1 / seconds : 0
      throughput = (items * rate, unit)
      macsPerSecond = Double(macs) * rate
      bounds = nil
      binding = []
      cores = result.cores
      queues = Queue.allCases.map { queue in
        var sum = QueueTiming(
          ops: 0, busy: 0, stalls: Array(repeating: 0, count: StallReason.count))
        for core in result.cores {
          let one = core.queues[queue.index]
          sum.ops += one.ops
          sum.busy += one.busy
          for reason in StallReason.allCases { sum.stalls[reason.index] += one[reason] }
        }
        return sum
      }
    }
  }

  /// Bytes and MACs.
  public struct Traffic: Sendable {
    public var hbmRead: Int64
    public var hbmWritten: Int64
    public var hbmReadBursts: Int64
    public var hbmWrittenBursts: Int64
    public var macs: Int64

    public init(_ summary: TrafficSummary) {
      hbmRead = summary.hbmRead
      hbmWritten = summary.hbmWritten
      hbmReadBursts = summary.hbmReadBursts
      hbmWrittenBursts = summary.hbmWrittenBursts
      macs = summary.macs
    }
  }

  /// The numbers against the reference and against FP64.
  public struct Numerics: Sendable {
    /// Every compared word equals the reference's; `nil` where nothing was compared.
    public var isBitExact: Bool?
    public var checkedOutputs: Int
    public var totalOutputs: Int
    public var words: Int
    public var mismatches: Int
    /// Against FP64, for each compared tensor in the order of the algorithm.
    public var tensors: [TensorError]
    /// What in these errors is no rounding.
    public var errorNote: String?
    /// Outputs that are not finite only because NaN or infinities reached them with the weight 0.
    public var reachedOutputs: Int
    public var inputNaNs: Int
    public var inputInfinities: Int
    /// Results of micro-ops that were NaN, infinite, or clamped.
    public var health: NumericHealth

    /// Nothing compared yet.
    public init(
      totalOutputs: Int, inputNaNs: Int, inputInfinities: Int, health: NumericHealth
    ) {
      isBitExact = nil
      checkedOutputs = 0
      self.totalOutputs = totalOutputs
      words = 0
      mismatches = 0
      tensors = []
      errorNote = nil
      reachedOutputs = 0
      self.inputNaNs = inputNaNs
      self.inputInfinities = inputInfinities
      self.health = health
    }

    /// The output with the largest relative error; `nil` where no error is defined.
    public var worstOutput: TensorError? {
      tensors.filter { $0.isOutput && $0.rmsError != nil }.worstFirst.first
    }
    /// Elements beyond the bounds of their stages.
    public var beyondBound: Int { tensors.reduce(0) { $0 + $1.beyondBound } }
    /// Largest error of a stage as a fraction of its bound.
    public var worstOfBound: Double? { tensors.compactMap(\.worstOfBound).max() }
    /// Elements of outputs without an error, as they or their exact values are not finite.
    public var nonFiniteOutputs: Int {
      tensors.filter(\.isOutput).reduce(0) { $0 + $1.nonFinite }
    }
  }

  /// Values executed in the order of randomised timings.
  public struct Jitter: Sendable {
    public var runs: Int
    public var percent: Int
    /// Runs in which a word of an output changed.
    public var changed: Int

    public init(runs: Int, percent: Int, changed: Int) {
      self.runs = runs
      self.percent = percent
      self.changed = changed
    }
  }

  public var kernel: String
  public var shape: [(name: String, value: String)]
  /// The parameters of a text program; a kernel has a ``shape`` instead.
  public var parameters: [TextParameter] = []
  public var schedule: [(name: String, value: Int)]
  public var seed: UInt64
  public var machine: Machine
  public var check: Check
  /// Findings with their sites in words.
  public var findings: [Described]
  /// The severities that make the verdict `findings`.
  public var failing: Set<Finding.Severity> = [.error]
  public var allowsHazards = false
  public var timing: Timing?
  public var traffic: Traffic?
  public var numerics: Numerics?
  public var expectation: Expectation?
  /// What the files of the inputs gave, where there are any.
  public var inputs: Inputs?
  public var jitter: Jitter?
  public var minimisation: Minimisation?
  /// The fixes of all races together; `nil` where they do not mend all, or one alone does.
  public var jointTrial: JointTrial?

  public init(
    kernel: String, shape: [(name: String, value: String)],
    schedule: [(name: String, value: Int)], seed: UInt64, machine: MachineConfiguration,
    check: CheckResult, program: Program
  ) {
    self.kernel = kernel
    self.shape = shape
    self.schedule = schedule
    self.seed = seed
    self.machine = Machine(machine)
    self.check = Check(
      isProved: check.proof.isProved, statement: Self.statement(check.proof),
      microOps: check.proof.microOps, events: check.proof.events, barriers: check.proof.barriers,
      outside: check.proof.outside)
    findings = check.findings.map { Described($0, in: program) }
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
