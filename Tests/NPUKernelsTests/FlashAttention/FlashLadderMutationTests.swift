import NPUKernels
import NPUSim
import Testing

/// Every event and barrier of the prefill rungs is needed: without any one of them the checker objects.
@Suite struct FlashLadderMutationTests {
  static let seed: UInt64 = 733

  /// Small programs that have every kind of edge: several jobs, kv tiles and pieces, pieces that come
  /// back, queries that see nothing.
  struct Setup: Sendable, CustomStringConvertible {
    var rung: String
    var machine = "edge"
    var cores = 1
    var one: FlashCase
    var schedule: String?

    var description: String {
      "\(one) on \(cores) × \(machine), \(rung), \(schedule ?? "own schedule")"
    }
  }

  static let setups: [Setup] = {
    var causal = FlashCase(40, 100, heads: 2, kvHeads: 1, d: 40)
    causal.isCausal = true
    var window = FlashCase(30, 150, d: 33)
    window.window = 40
    window.format = "mxint8"
    var blind = FlashCase(40, 20, d: 16)
    blind.isCausal = true
    var wide = FlashCase(20, 300, heads: 2, d: 64)
    wide.format = "mxint8"
    return [
      Setup(rung: "pipelined", one: causal, schedule: "tile.q=8,tile.kv=64"),
      Setup(rung: "pipelined", one: causal, schedule: "tile.q=16,tile.kv=32,stages.kv=1"),
      Setup(rung: "pipelined", one: window, schedule: "tile.q=6,tile.kv=64,stages=1"),
      Setup(rung: "pipelined", one: blind, schedule: "tile.q=8"),
      Setup(rung: "pipelined", one: wide, schedule: "tile.q=8,tile.kv=160,stages.kv=2"),
      Setup(
        rung: "pipelined", machine: "ascend-910b-like", one: causal,
        schedule: "tile.q=8,tile.kv=64,stages=2"),
      Setup(rung: "pipelined", cores: 3, one: causal, schedule: "tile.q=8,tile.kv=64"),
      Setup(rung: "online", one: causal, schedule: "tile.q=16,tile.kv=64"),
      Setup(rung: "online", one: window, schedule: "tile.q=16,tile.kv=32"),
      Setup(rung: "online", machine: "ascend-910b-like", one: causal, schedule: "tile.kv=64"),
      Setup(rung: "unfused", one: causal, schedule: "tile.q=16,tile.kv=32"),
      Setup(rung: "unfused", one: wide, schedule: "tile.q=8,tile.kv=64,stages=1,stages.kv=2"),
      Setup(rung: "scalar", one: FlashCase(20, 50, d: 1), schedule: "tile.q=8,tile.kv=16"),
    ]
  }()

  @Test(arguments: setups)
  func `a program without one of its events or barriers is not clean`(setup: Setup) throws {
    var one = setup.one
    one.rung = setup.rung
    let machine = try one.machine(setup.machine, cores: setup.cores)
    let program = try one.kernel(on: machine, schedule: setup.schedule).program()
    EventMutation.expectNeeded(program, atLeast: 3, seed: Self.seed, "\(setup)")
  }
}
