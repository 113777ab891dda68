/// Every parameter of a simulated machine, with exact rates. All times are cycles of the one clock.
///
/// A value that comes from a configuration file is valid: capacities positive, alignments powers of
/// two, rates positive. `nil` capacities, depths and event counts are unlimited (the `ideal`
/// machine).
public struct MachineConfiguration: Sendable, Hashable {
  /// The name under which the machine is reported.
  public var name: String
  /// One line on what the machine stands for.
  public var summary: String
  /// Clock in hertz.
  public var clockHz: Int64
  /// Identical cores that share HBM; at least 1.
  public var cores: Int
  /// Cycles that joining all cores costs.
  public var coreBarrier: Int64
  public var matrix: MatrixUnit
  public var vector: VectorUnit
  public var sfuMode: SFUMode
  /// Indexed by ``Space``.
  public var memories: [MemorySpec]
  /// Indexed by ``TransferPath``.
  public var paths: [PathSpec]
  public var hbm: HBMSpec
  /// Micro-ops that a queue holds, at least 1; `nil` is unlimited.
  public var queueDepth: Int?
  /// What each queue does about overlapping earlier results; indexed by ``Queue``.
  public var interlocks: [Interlock]
  /// Event IDs of each ordered pair of queues, at most 65,535; `nil` is unlimited.
  public var eventsPerPair: Int?
  /// Cycles from the firing of a set to the passing of its wait.
  public var eventPropagation: Int64
  /// The same of the pairs of ends of a core in which it differs.
  public var propagationBetween = PairCycles.none
  /// The ordered pairs of queues that have events.
  public var eventPairs = QueuePairs.all
  /// Further ones, between parts that are a core of their own in the hardware and one with others here.
  public var fusedEventPairs = QueuePairs.none
  /// Cycles from the host's launch of a program to its cycle 0, and from its end back to the host.
  public var launchCycles: Int64 = 0
  /// Which cores have which queues.
  public var groups = CoreGroups()
  /// Sets of an event between cores that may be pending at once.
  public var coreEventCapacity = 15
  /// What a set does to an event that is still set.
  public var eventOverwrite = EventOverwrite.undefined

  public init(
    name: String, summary: String, clockHz: Int64, cores: Int, coreBarrier: Int64,
    matrix: MatrixUnit, vector: VectorUnit, sfuMode: SFUMode, memories: [MemorySpec],
    paths: [PathSpec], hbm: HBMSpec, queueDepth: Int?, interlocks: [Interlock], eventsPerPair: Int?,
    eventPropagation: Int64
  ) {
    self.name = name
    self.summary = summary
    self.clockHz = clockHz
    self.cores = cores
    self.coreBarrier = coreBarrier
    self.matrix = matrix
    self.vector = vector
    self.sfuMode = sfuMode
    self.memories = memories
    self.paths = paths
    self.hbm = hbm
    self.queueDepth = queueDepth
    self.interlocks = interlocks
    self.eventsPerPair = eventsPerPair
    self.eventPropagation = eventPropagation
  }

  public subscript(space: Space) -> MemorySpec { memories[space.index] }

  public subscript(path: TransferPath) -> PathSpec { paths[path.index] }

  /// Whether the queue waits by itself for overlapping earlier results.
  public func interlocks(_ queue: Queue) -> Bool { interlocks[queue.index] == .full }

  /// Every ordered pair of queues between which a program may use events.
  public var allEventPairs: QueuePairs { eventPairs.union(fusedEventPairs) }

  /// Seconds of `cycles` at this clock.
  public func seconds(_ cycles: Int64) -> Double { Double(cycles) / Double(clockHz) }
}
