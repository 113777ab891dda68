// The schema: every parameter of a machine, in the order of the files. The clock stands before the
// HBM bandwidth, which is kept in bytes per cycle of it.

extension ConfigurationParameter {
  /// Every parameter of a machine, once.
  public static let all: [ConfigurationParameter] =
    chip + matrix + vector + memories + hbm + transferPaths + queues + events

  /// Longest latency or overhead that may be configured, in cycles.
  private static let cycleLimit = 1_000_000_000

  private static let chip: [ConfigurationParameter] = [
    clock,
    .init("cores", \.cores, .integer(1...1024), "identical cores that share HBM"),
    .init(
      "core.barrier", \.coreBarrier, .cycles(0...cycleLimit), unit: "cycles",
      "cost of joining all cores"),
    .init(
      "group.matrix_cores", \.groups.matrixCores, .integer(0...1024), unstated: 0,
      "cores of a group that have load, feed, matrix, drain and store; 0 in both is no groups"),
    .init(
      "group.vector_cores", \.groups.vectorCores, .integer(0...1024), unstated: 0,
      "cores of a group that have load, vector and store"),
    .init(
      "launch.cycles", \.launchCycles, .cycles(0...cycleLimit), unit: "cycles", unstated: 0,
      "from the host's launch to cycle 0, and back; not part of the cycles"),
  ]

  private static let matrix: [ConfigurationParameter] = [
    .init("matrix.kind", \.matrix.kind, .choice, "organisation of the unit"),
    .init("matrix.m0", \.matrix.m0, .integer(1...4096), "rows of a unit tile"),
    .init(
      "matrix.k0", \.matrix.k0, .multiple(of: 32, upTo: 4096),
      "reduction length of a unit tile: whole MXINT8 blocks"),
    .init("matrix.n0", \.matrix.n0, .integer(1...4096), "columns of a unit tile"),
    .init(
      "matrix.accumulator", \.matrix.accumulator, .choice,
      "what an addition to the accumulator rounds to"),
    .init(
      "matrix.cycles_per_tile", \.matrix.cyclesPerTile, .cycles(0...1_000_000), unit: "cycles",
      "occupancy of a unit tile; 0 is no limit"),
    .init(
      "matrix.overhead", \.matrix.overhead, .cycles(0...cycleLimit), unit: "cycles",
      "occupancy added to each matmul"),
    .init(
      "matrix.latency", \.matrix.latency, .cycles(0...cycleLimit), unit: "cycles",
      "from the end of occupancy to visible results"),
    .init(
      "matrix.forward_tiles", \.matrix.forwardTiles, .limit(1...1_000_000), unstated: 1,
      "unit tiles of an accumulator from which on an accumulating matmul forwards"),
    .init(
      "matrix.dataflow", \.matrix.array.dataflow, .choice, unstated: "os",
      "what stays in the cells of a systolic unit: outputs, weights or inputs"),
    .init(
      "matrix.rows", \.matrix.array.rows, .integer(1...4096), unstated: 32,
      "rows of a systolic unit"),
    .init(
      "matrix.columns", \.matrix.array.columns, .integer(1...4096), unstated: 32,
      "columns of a systolic unit"),
    .init(
      "matrix.fold_overlap", \.matrix.array.foldOverlap, .cycles(0...cycleLimit), unit: "cycles",
      unstated: 0, "by which a fold of a systolic unit begins before the last one has ended"),
  ]

  private static let vector: [ConfigurationParameter] =
    [
      .init("vector.lanes", \.vector.lanes, .powerOfTwo(1...1024), "FP32 lanes"),
      .init(
        "vector.minimum_occupancy", \.vector.minimumOccupancy, .cycles(0...cycleLimit),
        unit: "cycles", "smallest occupancy of a vector micro-op"),
      .init(
        "vector.width_bytes", \.vector.widthBytes, .optional(4...1_048_576), unit: "bytes",
        unstated: .null, "what a repeat takes; null where it takes `lanes` elements"),
      .init(
        "vector.native_formats", \.vector.nativeFormats, .formats, unstated: "all",
        "what the unit takes as it is stored, where it has a width; the rest is priced as f32"),
      .init(
        "vector.units", \.vector.units, .integer(1...64), unstated: 1,
        "vector units of a core, over which the rows of a micro-op are shared out"),
    ]
    + VectorClass.allCases.map { kind in
      .init(
        "vector.slopes.\(kind.key)", \.vector.slopes[kind.index], .cycles(0...1_000_000),
        unit: "cycles", "occupancy of a repeat: `lanes` elements, or a width")
    }
    + VectorClass.allCases.map { kind in
      .init(
        "vector.latencies.\(kind.key)", \.vector.latencies[kind.index], .cycles(0...cycleLimit),
        unit: "cycles", "from the end of occupancy to visible results")
    }
    + [.init("sfu.mode", \.sfuMode, .choice, "how special functions are evaluated")]

  private static let memories: [ConfigurationParameter] =
    Space.allCases.filter(\.isOnChip).flatMap { space -> [ConfigurationParameter] in
      let path = "memories.\(space.name)"
      return [
        .init(
          "\(path).bytes", \.memories[space.index].bytes, .limit(1...(1 << 40)), unit: "bytes",
          "capacity, scale bytes of a side array not counted"),
        .init(
          "\(path).alignment", \.memories[space.index].alignment, .powerOfTwo(1...4096),
          unit: "bytes", "alignment of each row"),
        .init(
          "\(path).banks", \.memories[space.index].banks, .banks,
          "bank groups, banks in a group, bytes of a bank; null where not modelled"),
      ]
    }

  private static let hbm: [ConfigurationParameter] = [
    bandwidth,
    .init(
      "hbm.burst", \.hbm.burst, .powerOfTwo(1...65536), unit: "bytes",
      "each contiguous run is rounded out to whole bursts"),
    .init(
      "hbm.bytes", \.memories[Space.hbm.index].bytes, .limit(1...(1 << 50)), unit: "bytes",
      "capacity of the whole chip"),
    .init(
      "hbm.read_after_write", \.hbm.readAfterWrite, .choice, unstated: "event",
      "what a core needs between a write to HBM and its own read of the bytes"),
    .init(
      "hbm.read_efficiency", \.hbm.readEfficiency, .share, unstated: 1,
      "share of the bandwidth that reads or writes alone reach"),
    .init(
      "hbm.mixed_efficiency", \.hbm.mixedEfficiency, .share, unstated: 1,
      "share of it where a transfer goes the other way than the one before"),
  ]

  private static let transferPaths: [ConfigurationParameter] =
    TransferPath.allCases.flatMap { path -> [ConfigurationParameter] in
      let key = "paths.\(path.key)"
      let (rate, what) = ("\(key).bytes_per_cycle", "rate of the port")
      return [
        path.isOptional
          ? .init(
            rate, \.paths[path.index].optionalRate, .optionalRate, unit: "bytes/cycle",
            unstated: "none", what + "; \"none\" without the path")
          : .init(rate, \.paths[path.index].rate, .rate, unit: "bytes/cycle", what),
        .init(
          "\(key).latency", \.paths[path.index].latency, .cycles(0...cycleLimit),
          unit: "cycles", unstated: path.isOptional ? 0 : nil,
          "from the end of occupancy to visible results"),
        .init(
          "\(key).row_cycles", \.paths[path.index].rowCycles, .cycles(0...cycleLimit),
          unit: "cycles", unstated: 0, "fewest that a row, a contiguous run, takes of the queue"),
        .init(
          "\(key).issue_cycles", \.paths[path.index].issueCycles, .cycles(0...cycleLimit),
          unit: "cycles", unstated: 0, "what a transfer takes of the queue before its first row"),
      ]
    }

  private static let queues: [ConfigurationParameter] =
    [
      .init(
        "queues.depth", \.queueDepth, .limit(1...1_000_000),
        "micro-ops that wait in a queue before dispatch stops")
    ]
    + Queue.allCases.map { queue in
      .init(
        "queues.interlocks.\(queue.name)", \.interlocks[queue.index], .interlock,
        "what the queue does about its own overlapping results")
    }

  private static let events: [ConfigurationParameter] = [
    .init(
      "events.per_pair", \.eventsPerPair, .limit(1...65535),
      "event IDs of each ordered pair of queues"),
    .init(
      "events.propagation", \.eventPropagation, .cycles(0...cycleLimit), unit: "cycles",
      "from the firing of a set to the passing of its wait"),
    .init(
      "events.propagation_between", \.propagationBetween, .pairCycles(0...cycleLimit),
      unit: "cycles", unstated: .null,
      "the same of single pairs of queues, where it differs; null where none does"),
    .init(
      "events.pairs", \.eventPairs, .queuePairs, unstated: "all",
      "ordered pairs of queues that have events"),
    .init(
      "events.fused_pairs", \.fusedEventPairs, .queuePairs, unstated: .array([]),
      "further pairs, between parts that are cores of their own in the hardware"),
    .init(
      "events.core_pending", \.coreEventCapacity, .integer(1...1024), unstated: 15,
      "sets of an event between cores that may be pending"),
    .init(
      "events.overwrite", \.eventOverwrite, .overwrite, unstated: "undefined",
      "what a set does to an event that is still set"),
  ]
}
