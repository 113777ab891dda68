import NPUKernels
import NPUSim
import Testing

/// Every event and barrier of softmax_v is needed: without any one of them the checker objects.
@Suite struct SoftmaxVMutationTests {
  static let seed: UInt64 = 417

  /// Small programs that have every kind of edge: several jobs, kv tiles and column tiles.
  struct Setup: Sendable, CustomStringConvertible {
    var machine: String
    var cores: Int
    var shape: SoftmaxVShape
    var schedule: String?

    var description: String { "\(shape) on \(cores) × \(machine), \(schedule ?? "own schedule")" }
  }

  static let setups: [Setup] = [
    Setup(machine: "edge", cores: 1, shape: SoftmaxVShape(kv: 70, heads: 5, headDim: 40)),
    Setup(
      machine: "edge", cores: 1, shape: SoftmaxVShape(kv: 129, heads: 5, headDim: 70),
      schedule: "tile.rows=2,tile.kv=32,tile.columns=32"),
    Setup(
      machine: "edge", cores: 1,
      shape: SoftmaxVShape(kv: 100, heads: 8, kvHeads: 2, queries: 3, headDim: 33, isStable: true),
      schedule: "tile.rows=5,tile.kv=32"),
    Setup(
      machine: "edge", cores: 1, shape: SoftmaxVShape(kv: 100, heads: 3, headDim: 64),
      schedule: "stages=1,stages.v=2,stages.scores=1,tile.kv=32,tile.rows=1"),
    Setup(
      machine: "edge", cores: 3, shape: SoftmaxVShape(kv: 65, heads: 4, headDim: 40, batch: 2),
      schedule: "tile.kv=32,tile.rows=1"),
    Setup(
      machine: "tiny", cores: 1, shape: SoftmaxVShape(kv: 70, heads: 3, headDim: 8)),
    Setup(
      machine: "ascend-910b-like", cores: 1,
      shape: SoftmaxVShape(kv: 200, heads: 4, kvHeads: 2, headDim: 40, isStable: true),
      schedule: "tile.kv=64,tile.rows=2"),
    Setup(
      machine: "ascend-950-like", cores: 1,
      shape: SoftmaxVShape(kv: 200, heads: 3, queries: 2, headDim: 80),
      schedule: "tile.kv=64,tile.rows=2,tile.columns=32"),
    Setup(machine: "ideal", cores: 1, shape: SoftmaxVShape(kv: 300, heads: 6, headDim: 40)),
  ]

  /// The records of one core that go together: a set and its wait, or a barrier.
  private static func synchronisations(_ records: [OpRecord]) -> [[Int]] {
    var sets: [Event: [Int]] = [:]
    var result: [[Int]] = []
    for (index, record) in records.enumerated() where record.kind == .set {
      sets[record.event, default: []].append(index)
    }
    var waits: [Event: Int] = [:]
    for (index, record) in records.enumerated() {
      switch record.kind {
      case .wait:
        // The k-th wait of an event belongs to its k-th set.
        let k = waits[record.event, default: 0]
        waits[record.event] = k + 1
        if let all = sets[record.event], k < all.count { result.append([all[k], index]) }
      case .barrierQueue: result.append([index])
      default: break
      }
    }
    return result
  }

  @Test(arguments: setups)
  func `a program without one of its events or barriers is not clean`(setup: Setup) throws {
    var machine = try Presets.named(setup.machine).configuration
    machine.cores = setup.cores
    let program = try setup.shape.kernel(on: machine, schedule: setup.schedule).program()
    #expect(Checker.check(program).isClean, "\(setup)")
    #expect(Checker.redundantEvents(program).isEmpty, "\(setup)")
    var random = SeededGenerator(seed: Self.seed)
    var deleted = 0
    for core in program.cores.indices {
      let all = Self.synchronisations(program.cores[core])
      let sets = program.cores[core].count { $0.kind == .set }
      let waits = program.cores[core].count { $0.kind == .wait }
      #expect(sets == waits)
      for places in all where all.count < 40 || TestScale.isFull || random.below(10) == 0 {
        var mutant = program
        for place in places.sorted(by: >) { mutant.cores[core].remove(at: place) }
        deleted += 1
        let record = program.cores[core][places[0]]
        #expect(
          !Checker.check(mutant).isClean,
          "\(setup): core \(core) without \(places) (\(program.mnemonic(record)) of \(record.queue))"
        )
      }
    }
    #expect(deleted >= 5, "\(setup)")
  }
}
