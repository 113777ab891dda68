import NPUKernels
import NPUSim
import Testing

/// Every event and barrier of the decode programs is needed: without any one of them the checker
/// objects.
@Suite struct FlashDecodeMutationTests {
  static let seed: UInt64 = 811

  /// Small programs that have every kind of edge: several jobs, kv tiles, pieces, pages, splits.
  struct Setup: Sendable, CustomStringConvertible {
    var machine: String
    var cores = 1
    var one: FlashCase
    var schedule: String?

    var description: String { "\(one) on \(cores) × \(machine), \(schedule ?? "own schedule")" }
  }

  private static func attention(
    _ shape: FlashCase, _ format: String, splits: Int = 1, page: Int? = nil, rung: String = "decode"
  ) -> FlashCase {
    var one = shape
    one.format = format
    one.splits = splits
    one.page = page
    one.rung = rung
    one.isCausal = shape.queries > 1
    return one
  }

  static let setups: [Setup] = [
    Setup(machine: "edge", one: attention(FlashCase(1, 300, heads: 5, d: 64), "mxint8")),
    Setup(
      machine: "edge", one: attention(FlashCase(2, 150, heads: 4, d: 96), "mxint8", page: 32),
      schedule: "tile.kv=64,tile.heads=2"),
    Setup(
      machine: "edge", one: attention(FlashCase(1, 200, heads: 6, kvHeads: 2), "bf16"),
      schedule: "tile.kv=64,tile.heads=3"),
    Setup(
      machine: "edge", one: attention(FlashCase(3, 130, heads: 4, kvHeads: 2, d: 33), "e4m3fn"),
      schedule: "tile.kv=32,tile.heads=2,tile.q=2,stages.rows=2"),
    Setup(
      machine: "edge", one: attention(FlashCase(1, 100, heads: 3, d: 40), "e5m2"),
      schedule: "stages=1,stages.kv=1,stages.rows=1,tile.kv=32,tile.staged=32,tile.heads=1"),
    Setup(
      machine: "edge",
      one: attention(FlashCase(1, 100, heads: 4, d: 40), "e5m2", rung: "composed"),
      schedule: "tile.kv=32,tile.heads=2"),
    Setup(
      machine: "edge", cores: 3,
      one: attention(FlashCase(1, 260, heads: 4, d: 40), "e4m3fn", splits: 3, page: 16)),
    Setup(
      machine: "edge", cores: 2, one: attention(FlashCase(2, 300, heads: 3), "mxint8", splits: 2)),
    Setup(
      machine: "edge", cores: 3,
      one: attention(FlashCase(1, 290, heads: 4, kvHeads: 2, d: 32), "bf16", rung: "spread"),
      schedule: "tile.kv=64,tile.heads=4,stages.kv=2"),
    Setup(
      machine: "ascend-910b-like", cores: 2,
      one: attention(FlashCase(1, 300, heads: 2, d: 40), "e4m3fn", rung: "spread")),
    Setup(machine: "tiny", one: attention(FlashCase(2, 100, heads: 3, d: 8), "mxint8")),
    Setup(
      machine: "ascend-910b-like",
      one: attention(FlashCase(1, 300, heads: 4, kvHeads: 2, d: 40), "e4m3fn"),
      schedule: "tile.kv=64"),
    Setup(
      machine: "ascend-950-like", one: attention(FlashCase(2, 200, heads: 3, d: 80), "bf16"),
      schedule: "tile.kv=64,tile.heads=2"),
    Setup(machine: "ideal", one: attention(FlashCase(2, 300, heads: 6, d: 40), "mxint8")),
  ]

  @Test(arguments: setups)
  func `a decode program without one of its events or barriers is not clean`(setup: Setup) throws {
    let machine = try setup.one.machine(setup.machine, cores: setup.cores)
    let program = try setup.one.kernel(on: machine, schedule: setup.schedule).program()
    EventMutation.expectNeeded(program, atLeast: 5, seed: Self.seed, "\(setup)")
  }

  @Test func `the parts of splits are combined only after all cores have stored theirs`() throws {
    let one = Self.attention(FlashCase(1, 260, heads: 4, d: 40), "mxint8", splits: 2)
    let machine = try one.machine("edge", cores: 2)
    var program = try one.kernel(on: machine).program()
    for core in program.cores.indices {
      let barriers = program.cores[core].indices.filter {
        program.cores[core][$0].kind == .barrierCores
      }
      #expect(barriers.count == 1)
      for place in barriers { program.cores[core].remove(at: place) }
    }
    #expect(!Checker.check(program).isClean)
  }
}
