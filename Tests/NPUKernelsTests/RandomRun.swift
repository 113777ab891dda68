import NPUKernels
import NPUSim

/// A random kernel with a random small shape on a random machine: what a user may type.
struct RandomRun {
  var kernel: String
  var arguments: [String: String] = [:]
  var preset: String
  var settings: [String] = []
  var schedule: String?
  var seed: UInt64

  private var random: SeededGenerator

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    self.seed = seed
    let names = Catalog.kernels.map { $0.name }
    kernel = names[random.below(names.count)]
    preset = ""
    preset = pick(["edge", "edge", "tiny", "ascend-910b-like", "ascend-950-like", "ideal"])
    if chance(3) { settings.append("cores=\(pick([1, 2, 3, 5]))") }
    if chance(3) { settings.append("matrix.accumulator=fp32") }
    if chance(3) { settings.append("queues.depth=\(pick([2, 3, 5, 8, 32]))") }
    shape()
  }

  /// For messages: what to type to see the same.
  var command: String {
    let flags = arguments.sorted { $0.key < $1.key }.map { "--\($0.key) \($0.value)" }
    return
      (["run", kernel] + flags + ["--config \(preset)"] + settings.map { "--set \($0)" }
      + (schedule.map { ["--schedule \($0)"] } ?? []) + ["--seed \(seed)"])
      .joined(separator: " ")
  }

  var machine: MachineConfiguration {
    get throws { try Presets.named(preset).configuration.applying(sets: settings) }
  }

  private mutating func chance(_ oneIn: Int) -> Bool { random.below(oneIn) == 0 }

  private mutating func pick<T>(_ values: [T]) -> T { values[random.below(values.count)] }

  /// Often an edge of a block or a tile, else anything up to `limit`.
  private mutating func extent(_ limit: Int) -> Int {
    chance(3)
      ? 1 + random.below(limit)
      : min(limit, pick([1, 2, 3, 5, 7, 16, 31, 32, 33, 63, 64, 65, 96, 127, 128, 129]))
  }

  private mutating func set(_ name: String, _ value: Int) { arguments[name] = "\(value)" }

  private mutating func shape() {
    switch kernel {
    case Gemm.name:
      set("m", extent(300))
      set("n", extent(300))
      set("k", extent(600))
      operands()
      if chance(3) { schedule = "rung=\(1 + random.below(4))" }
    case Gevm.name:
      set("n", extent(600))
      set("k", extent(600))
      operands()
    case DotProduct.name:
      set("n", extent(5000))
      operands()
    case SoftmaxV.name:
      let groups = pick([1, 2, 3])
      set("kv-heads", groups)
      set("heads", groups * pick([1, 2, 4]))
      set("kv", extent(700))
      set("q", pick([1, 2, 5]))
      set("head-dim", pick([32, 40, 64, 128]))
      set("batch", pick([1, 1, 2]))
      if chance(2) { arguments["stable"] = "true" }
    case Softmax.name:
      set("rows", extent(100))
      set("cols", extent(3000))
      set("passes", pick([2, 3]))
      arguments["exp"] = pick(["base-e", "base-2"])
    case FlashAttention.name: attention()
    case CompressEpilog.name:
      set("tokens", extent(200))
      set("dim", 128 * (1 + random.below(12)))
      arguments["format"] = pick(["e4m3fn", "e5m2"])
      set("quant-mode", random.below(2))
      arguments["rung"] = pick(["one-op", "composed"])
    case Rope.name:
      set("positions", extent(200))
      set("head-dim", 2 * (1 + random.below(64)))
      set("heads", pick([1, 2, 5]))
      arguments["layout"] = pick(["interleaved", "half"])
    case Embedding.name:
      set("tokens", extent(60))
      set("hidden", extent(1000))
      set("vocab", extent(3000))
    case CacheStore.name:
      set("slots", pick([1, 2, 5]))
      set("rows", extent(100))
      set("cols", extent(1000))
      if chance(2) {
        arguments["along"] = "rows"
      } else if chance(3) {
        arguments["format"] = "bf16"
      }
    case Linear.name:
      set("tokens", extent(100))
      set("in", extent(600))
      set("out", extent(400))
      if chance(2) { arguments["residual"] = "true" }
      if chance(3) { arguments["output"] = "f32" }
    case Swiglu.name:
      set("tokens", extent(40))
      set("hidden", extent(300))
      set("ffn", extent(400))
    default:
      // rms_norm, residual_add, argmax
      set("rows", extent(60))
      set("cols", extent(4000))
    }
  }

  private mutating func operands() {
    if chance(2) { arguments["operands"] = "bf16" }
    if chance(3) { arguments["output"] = "f32" }
  }

  private mutating func attention() {
    let rung = pick(["scalar", "unfused", "online", "pipelined", "decode", "composed", "spread"])
    let isDecode = ["decode", "composed", "spread"].contains(rung)
    arguments["rung"] = rung
    let groups = rung == "scalar" ? 1 : pick([1, 2])
    set("kv-heads", groups)
    set("heads", rung == "scalar" ? 1 : groups * pick([1, 2, 3]))
    set("head-dim", rung == "scalar" ? 1 : pick([32, 64, 128]))
    let queries = isDecode ? 1 : extent(rung == "scalar" ? 10 : 150)
    set("q", queries)
    let keys = max(queries, extent(rung == "scalar" ? 60 : 300))
    set("kv", keys)
    if chance(2) { arguments["causal"] = "true" }
    if isDecode {
      let formats = ["e4m3fn", "e5m2"] + (rung == "composed" ? [] : ["bf16", "mxint8"])
      let format = pick(formats)
      arguments["kv-format"] = format
      // A split takes whole tiles, of 128 keys at most, and a page whole blocks.
      if chance(4) && keys > 128 && rung != "spread" { set("splits", 2) }
      if chance(3) { set("page", pick(format == "mxint8" ? [32, 64] : [16, 32, 64])) }
    }
  }
}
