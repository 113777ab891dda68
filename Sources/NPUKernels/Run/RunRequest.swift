import NPUSim

/// Everything that a run depends on. The same request gives the same report, byte for byte.
public struct RunRequest: Sendable {
  /// How much of the output is compared with the reference.
  public enum Verification: String, Sendable, CaseIterable {
    /// Full up to 2^27 reference MACs, a sample above.
    case standard
    case full
    /// A seeded sample of whole units with at least 4,096 output elements.
    case sample
    case none
  }

  public var kernel: String
  /// The kernel's flags, names without dashes.
  public var arguments: [String: String]
  public var machine: MachineConfiguration
  /// Fields of the schedule to replace: `name=value,…`.
  public var schedule: String?
  public var seed: UInt64
  /// Where inputs come from; missing ones are made from the seed.
  public var source: TensorSource?
  /// Inputs by name in memory: a shorter way to a ``source``.
  public var inputs: TensorSet? {
    get { try? source?.archive.readAll() }
    set { source = newValue.map { TensorSource(TensorArchive($0)) } }
  }
  /// Somebody's dump to compare with.
  public var expect: TensorSource?
  /// When an element counts as that of `expect`.
  public var closeness: Closeness
  public var verification: Verification
  /// How far the run goes.
  public var plan: RunPlan
  /// Whether synchronisation that can go is looked for, too, in a program without errors.
  public var minimises: Bool
  /// Whether a program with findings is executed and timed all the same.
  public var allowHazards: Bool
  /// Whether lint is looked for, too.
  public var lints: Bool
  /// The severities that make the verdict `findings`.
  public var failing: Set<FindingKind.Severity>
  /// Randomised timings under which values are executed once more; 0 is none.
  public var jitterRuns: Int
  /// Largest deviation of a randomised duration, in percent.
  public var jitterPercent: Int
  /// What the run may take of memory; refused with `.limit` before it is taken.
  public var memoryLimit: MemoryLimit

  public init(kernel: String, machine: MachineConfiguration) {
    self.kernel = kernel
    self.machine = machine
    arguments = [:]
    seed = 0
    closeness = .value()
    verification = .standard
    plan = .values
    minimises = false
    allowHazards = false
    lints = false
    failing = [.error]
    jitterRuns = 0
    jitterPercent = 20
    memoryLimit = .ofProcess()
  }
}
