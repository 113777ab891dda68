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
      machine: "tiny", cores: 1, shape: SoftmaxVShape(kv: 200, heads: 6, headDim: 8)),
    Setup(
      machine: "ascend-910b-like", cores: 1,
      shape: SoftmaxVShape(kv: 200, heads: 4, kvHeads: 2, headDim: 40, isStable: true),
      schedule: "tile.kv=64,tile.rows=2"),
    Setup(
      machine: "ascend-950-like", cores: 1,
      shape: SoftmaxVShape(kv: 200, heads: 3, queries: 2, headDim: 80),
      schedule: "tile.kv=64,tile.rows=2,tile.columns=32"),
    Setup(
      machine: "ideal", cores: 1, shape: SoftmaxVShape(kv: 300, heads: 6, headDim: 40),
      schedule: "tile.kv=64"),
  ]

  @Test(arguments: setups)
  func `a program without one of its events or barriers is not clean`(setup: Setup) throws {
    var machine = try Presets.named(setup.machine).configuration
    machine.cores = setup.cores
    let program = try setup.shape.kernel(on: machine, schedule: setup.schedule).program()
    for core in program.cores {
      #expect(core.count { $0.kind == .set } == core.count { $0.kind == .wait })
    }
    EventMutation.expectNeeded(program, atLeast: 5, seed: Self.seed, "\(setup)")
  }
}
