import NPUKernels
import NPUSim

/// The shapes, machines and schedules that softmax_v is proved on.
enum SoftmaxVSetups {
  /// Lengths around block, lane and tile boundaries; few and many heads; shared kv heads; several
  /// queries, more than a row tile holds; columns around the alignment; several sequences.
  static let shapes: [SoftmaxVShape] = {
    var shapes: [SoftmaxVShape] = []
    for kv in [1, 2, 31, 32, 33, 63, 64, 65, 127, 128, 129, 1000, 4096] {
      shapes.append(SoftmaxVShape(kv: kv, heads: 3, headDim: 16))
      shapes.append(SoftmaxVShape(kv: kv, heads: 1, headDim: 33, isStable: true))
    }
    for headDim in [1, 16, 33, 64, 80, 128, 256] {
      shapes.append(SoftmaxVShape(kv: 97, heads: 3, headDim: headDim))
      shapes.append(
        SoftmaxVShape(kv: 65, heads: 8, kvHeads: 2, headDim: headDim, isStable: true))
    }
    for queries in [1, 2, 3, 4, 5, 130] {
      shapes.append(SoftmaxVShape(kv: 70, heads: 3, queries: queries, headDim: 16))
      shapes.append(
        SoftmaxVShape(
          kv: 40, heads: 4, kvHeads: 2, queries: queries, headDim: 33, isStable: true))
    }
    for batch in [1, 2, 3] {
      shapes.append(SoftmaxVShape(kv: 33, heads: 32, headDim: 16, batch: batch))
      shapes.append(SoftmaxVShape(kv: 129, heads: 8, kvHeads: 1, headDim: 64, batch: batch))
      shapes.append(
        SoftmaxVShape(
          kv: 200, heads: 4, kvHeads: 2, queries: 2, headDim: 80, batch: batch, isStable: true))
    }
    // Small enough for a machine with memories of one kilobyte.
    for kv in [1, 31, 33, 100, 300] {
      shapes.append(SoftmaxVShape(kv: kv, heads: 2, headDim: 4))
      shapes.append(
        SoftmaxVShape(
          kv: kv, heads: 4, kvHeads: 2, queries: 2, headDim: 8, batch: 2, isStable: true))
    }
    shapes.append(SoftmaxVShape(kv: 128, heads: 32, headDim: 128))
    shapes.append(SoftmaxVShape(kv: 200, heads: 32, kvHeads: 8, headDim: 64))
    return shapes
  }()

  /// Fields of the schedule to replace; `nil` is the schedule that is chosen by itself.
  static let schedules: [String?] = [
    nil, "stages=1,stages.v=2,stages.scores=1", "tile.rows=1", "tile.rows=3,stages.v=3",
    "tile.kv=64", "tile.kv=192,stages.scores=1", "tile.columns=32", "drain.parts=1",
    "tile.rows=2,tile.kv=64,tile.columns=64,stages.scores=2,stages.v=2",
  ]

  /// The named machines with the cores that they have, and the default one with 2 to 5.
  static func machines() throws(NPUError) -> [MachineConfiguration] {
    var machines: [MachineConfiguration] = []
    for name in ["edge", "tiny", "ascend-910b-like", "ascend-950-like", "ideal"] {
      machines.append(try Presets.named(name).configuration)
    }
    for cores in 2...5 {
      var machine = machines[0]
      machine.cores = cores
      machine.name = "edge with \(cores) cores"
      machines.append(machine)
    }
    var machine = machines[2]
    machine.cores = 5
    machine.name = "ascend-910b-like with 5 cores"
    machines.append(machine)
    return machines
  }
}
