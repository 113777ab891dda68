import NPUSim

/// Small machines for tests, independent of the configuration files.
enum TestMachine {
  /// One core, small round numbers: 4 × 32 × 4 MACs a cycle, 4 lanes, 16-byte alignment.
  static func small(
    cores: Int = 1, depth: Int? = 4, eventsPerPair: Int? = 8, propagation: Int64 = 2,
    interlocks: [Bool] = Array(repeating: true, count: Queue.count), lanes: Int = 4,
    accumulator: AccumulatorMode = .bf16, memory: Int = 1 << 16
  ) -> MachineConfiguration {
    let classes = VectorClass.allCases
    return MachineConfiguration(
      name: "small", summary: "for tests", clockHz: 1_000_000_000, cores: cores, coreBarrier: 5,
      matrix: .init(m0: 4, k0: 32, n0: 4, accumulator: accumulator, overhead: 1, latency: 3),
      vector: .init(
        lanes: lanes, minimumOccupancy: 2, slopes: classes.map { Int64($0.index % 3 + 1) },
        latencies: classes.map { _ in 4 }),
      sfuMode: .correctlyRounded,
      memories: Space.allCases.map {
        $0 == .hbm
          ? .init(bytes: 1 << 24, alignment: 1) : .init(bytes: memory, alignment: 16)
      },
      paths: TransferPath.allCases.map { path in
        .init(
          rate: Rate(path.readsHBM || path.writesHBM ? 8 : 16) ?? .unlimited,
          latency: path.readsHBM ? 10 : 3)
      },
      hbm: .init(rate: Rate(64, over: 5) ?? .unlimited, burst: 32), queueDepth: depth,
      interlocks: interlocks.map { $0 ? .full : .none }, eventsPerPair: eventsPerPair,
      eventPropagation: propagation)
  }
}
