import NPUKernels
import NPUSim

/// The shapes, machines and schedules that the prefill rungs of flash_attention are proved on.
enum FlashLadderSetups {
  /// Queries and keys around blocks, lanes, pieces and tiles; fewer and more keys than queries; head
  /// dimensions around blocks; masks; shared kv heads; several sequences.
  static let shapes: [FlashCase] = {
    var shapes: [FlashCase] = []
    for (queries, kv) in [
      (1, 1), (2, 31), (17, 32), (33, 33), (15, 65), (16, 64), (31, 127), (32, 128), (40, 129),
      (64, 257), (100, 300), (130, 700),
    ] {
      shapes.append(FlashCase(queries, kv, d: 32))
      var causal = FlashCase(queries, kv, d: 64)
      causal.isCausal = true
      shapes.append(causal)
    }
    for headDim in [1, 8, 33, 80, 128, 256] {
      var one = FlashCase(35, 97, heads: 4, kvHeads: 2, d: headDim)
      one.isCausal = headDim % 2 == 0
      shapes.append(one)
    }
    for window in [1, 7, 64, 200] {
      var one = FlashCase(70, 333, heads: 3, kvHeads: 1, d: 16)
      one.window = window
      shapes.append(one)
    }
    for batch in [2, 3] {
      var one = FlashCase(20, 150, heads: 6, kvHeads: 3, d: 24)
      one.batch = batch
      one.isCausal = batch == 2
      shapes.append(one)
    }
    // Queries before the first key see nothing.
    var blind = FlashCase(50, 20, d: 16)
    blind.isCausal = true
    shapes.append(blind)
    // Small enough for memories of one kilobyte.
    for (queries, kv) in [(1, 5), (3, 40), (6, 33), (9, 100)] {
      var one = FlashCase(queries, kv, heads: 2, d: 4)
      one.isCausal = kv % 2 == 0
      shapes.append(one)
    }
    shapes.append(FlashCase(90, 520, d: 64))
    return shapes
  }()

  static let rungs = ["unfused", "online", "pipelined", "scalar"]

  /// Fields of the schedule to replace; `nil` is the schedule that is chosen by itself.
  static func schedules(_ rung: String) -> [String?] {
    switch rung {
    case "pipelined":
      [
        nil, "stages=1", "tile.q=8,stages=2", "tile.q=5,tile.kv=32", "tile.kv=64,stages.kv=1",
        "tile.kv=96,stages.kv=2", "tile.q=16,tile.kv=160,stages.kv=3",
        "tile.q=3,tile.kv=128,stages=1",
      ]
    case "online": [nil, "tile.q=7", "tile.kv=32", "tile.q=16,tile.kv=160", "tile.kv=96"]
    case "unfused":
      [nil, "tile.q=10", "tile.kv=32,stages.kv=1", "stages=1,stages.kv=2", "tile.q=16,tile.kv=64"]
    default: [nil, "tile.q=4,tile.kv=7", "tile.q=1", "tile.kv=33"]
    }
  }

  /// The named machines with one core, and some with several.
  static func machines() throws(NPUError) -> [MachineConfiguration] {
    var machines: [MachineConfiguration] = []
    for name in ["edge", "tiny", "ascend-910b-like", "ascend-950-like", "ideal"] {
      var machine = try Presets.named(name).configuration
      if name != "ideal" { machine.cores = 1 }
      machines.append(machine)
    }
    for cores in [2, 3, 5] {
      var machine = machines[0]
      machine.cores = cores
      machine.name = "edge with \(cores) cores"
      machines.append(machine)
    }
    return machines
  }

  /// A case of a rung: the scalar one has numbers for rows, and options are dealt out.
  static func one(_ index: Int, _ rung: String) -> FlashCase {
    var one = shapes[index]
    one.rung = rung
    one.accumulator = index % 3 == 1 ? .fp32 : .bf16
    if rung == "scalar" {
      one.headDim = 1
    } else {
      one.format = ["bf16", "mxint8", "e4m3fn", "mxint8", "bf16", "e5m2"][index % 6]
    }
    return one
  }
}
