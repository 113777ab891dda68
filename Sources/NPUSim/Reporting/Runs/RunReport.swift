/// What a run has to say: the verdict, and what stands behind it. Text and JSON are made from it.
///
/// Parts that were not run are `nil`. The same run gives the same report.
public struct RunReport: Sendable {
  /// The version of the JSON form.
  public static let schema = "npusim.run.v2"

  /// The machine that ran.
  public struct Machine: Sendable {
    public var name: String
    public var cores: Int
    public var clockHz: Int64
    /// The whole effective configuration.
    public var config: JSONValue

    /// Name, cores and clock, as a page has them.
    var words: String {
      "\(ForeignText.visible(name)), \(cores == 1 ? "1 core" : "\(cores) cores"), "
        + Quantity.prefixed(Double(clockHz), "Hz")
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
    /// What launching the program costs besides; `nil` on a machine where it costs nothing.
    public var launch: Launch?
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
  }

  /// From the host's launch to cycle 0, and from the end back to the host. No cycle of it is in
  /// ``Timing/cycles``.
  public struct Launch: Sendable {
    public var cycles: Int64
    public var seconds: Double
  }

  /// Bytes and MACs.
  public struct Traffic: Sendable {
    public var hbmRead: Int64
    public var hbmWritten: Int64
    public var hbmReadBursts: Int64
    public var hbmWrittenBursts: Int64
    public var macs: Int64
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
    /// Verified rows in which several elements are the largest, of a kernel that chooses one of them;
    /// `nil` where there are none.
    public var tiedRows: Int?
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
      tiedRows = nil
      self.inputNaNs = inputNaNs
      self.inputInfinities = inputInfinities
      self.health = health
    }

    /// The output with the largest relative error; `nil` where no error is defined.
    public var worstOutput: TensorError? {
      tensors.filter { $0.isOutput && $0.rmsError != nil }.worstFirst.first
    }
    /// Elements beyond the bounds of their stages.
    public var beyondBound: Int { tensors.clampedSum(\.beyondBound) }
    /// Largest error of a stage as a fraction of its bound.
    public var worstOfBound: Double? { tensors.compactMap(\.worstOfBound).max() }
    /// Elements of outputs without an error, as they or their exact values are not finite.
    public var nonFiniteOutputs: Int {
      tensors.filter(\.isOutput).clampedSum(\.nonFinite)
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
  public var schedule: [(name: String, value: ScheduleValue)]
  /// What came of looking for an order; `nil` where nobody asked for another than the written one.
  public var order: Order?
  public var seed: UInt64
  public var machine: Machine
  public var check: Check
  /// Findings with their sites in words.
  public var findings: [Described]
  /// The severities that make the verdict `findings`.
  public var failing: Set<FindingKind.Severity> = [.error]
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
}
