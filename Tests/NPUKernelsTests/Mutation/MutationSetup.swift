import NPUKernels
import NPUSim

/// A small program of a kernel that has every kind of edge its schedule has.
struct MutationSetup: Sendable, CustomStringConvertible {
  var kernel: String
  var arguments: [String: String]
  var schedule: String?
  var machine = "edge"
  var cores = 1

  var description: String {
    let flags = arguments.sorted { $0.key < $1.key }.map { "--\($0.key) \($0.value)" }
    return "\(kernel) \(flags.joined(separator: " ")) on \(cores) × \(machine), "
      + (schedule ?? "own schedule")
  }

  func configuration() throws -> MachineConfiguration {
    var machine = try Presets.named(machine).configuration
    machine.cores = cores
    return machine
  }

  func program() throws -> Program {
    let type = try Catalog.kernel(named: kernel)
    let values = try KernelArguments(
      kernel: kernel, options: type.options, values: arguments)
    return try type.init(values, machine: configuration(), schedule: schedule).program()
  }

  /// The inputs that the kernel makes from seed 0, by name.
  func inputs() throws -> TensorSet {
    var request = RunRequest(kernel: kernel, machine: try configuration())
    request.arguments = arguments
    request.schedule = schedule
    request.verification = .none
    return try Runner.run(request).dump()
  }

  static let all: [MutationSetup] = [
    MutationSetup(kernel: "dot_product", arguments: ["n": "300"]),
    MutationSetup(kernel: "dot_product", arguments: ["n": "130", "operands": "bf16"]),
    MutationSetup(kernel: "gevm", arguments: ["k": "200", "n": "150"]),
    MutationSetup(
      kernel: "gevm", arguments: ["k": "100", "n": "80"], machine: "ascend-910b-like", cores: 2),
    MutationSetup(
      kernel: "gemm", arguments: ["m": "70", "n": "100", "k": "130"],
      schedule: "rung=3,tile.m=32,tile.n=32,tile.k=32,chunk.k=64"),
    MutationSetup(
      kernel: "gemm", arguments: ["m": "70", "n": "100", "k": "130"], schedule: "rung=4"),
    MutationSetup(
      kernel: "gemm", arguments: ["m": "40", "n": "40", "k": "70", "operands": "bf16"],
      machine: "ascend-910b-like"),
    MutationSetup(kernel: "softmax_v", arguments: ["kv": "70", "heads": "5", "head-dim": "40"]),
    MutationSetup(kernel: "softmax", arguments: ["rows": "7", "cols": "300"]),
    MutationSetup(
      kernel: "softmax", arguments: ["rows": "5", "cols": "300", "passes": "2"],
      machine: "ascend-910b-like", cores: 2),
    MutationSetup(
      kernel: "compress_epilog", arguments: ["tokens": "20", "dim": "200", "slots": "30"]),
    MutationSetup(
      kernel: "compress_epilog",
      arguments: ["tokens": "20", "dim": "300", "format": "e5m2", "quant-mode": "0"],
      machine: "ascend-910b-like", cores: 2),
    MutationSetup(
      kernel: "rope", arguments: ["positions": "20", "head-dim": "32", "heads": "3"]),
    MutationSetup(kernel: "rms_norm", arguments: ["rows": "7", "cols": "200"]),
    MutationSetup(
      kernel: "rms_norm", arguments: ["rows": "5", "cols": "130"], machine: "ascend-910b-like",
      cores: 2),
    MutationSetup(
      kernel: "linear", arguments: ["tokens": "5", "in": "96", "out": "130", "residual": "true"]),
    MutationSetup(
      kernel: "linear", arguments: ["tokens": "1", "in": "130", "out": "70"],
      machine: "ascend-910b-like", cores: 2),
    MutationSetup(
      kernel: "swiglu", arguments: ["tokens": "3", "hidden": "96", "ffn": "130"]),
    MutationSetup(
      kernel: "swiglu", arguments: ["tokens": "2", "hidden": "64", "ffn": "100"], cores: 2),
    MutationSetup(
      kernel: "embedding", arguments: ["tokens": "20", "vocab": "50", "hidden": "100"],
      schedule: "tile.rows=3"),
    MutationSetup(
      kernel: "cache_store", arguments: ["slots": "3", "rows": "40", "cols": "96"]),
    MutationSetup(
      kernel: "cache_store",
      arguments: ["slots": "5", "rows": "41", "cols": "40", "along": "rows"],
      machine: "ascend-910b-like", cores: 2),
    MutationSetup(kernel: "residual_add", arguments: ["rows": "9", "cols": "200"]),
    MutationSetup(kernel: "argmax", arguments: ["rows": "7", "cols": "200"]),
    MutationSetup(
      kernel: "flash_attention",
      arguments: ["q": "70", "kv": "100", "head-dim": "40", "causal": "true"],
      schedule: "tile.kv=32"),
    MutationSetup(
      kernel: "flash_attention",
      arguments: ["q": "40", "kv": "70", "heads": "2", "head-dim": "32", "kv-format": "mxint8"],
      schedule: "tile.kv=64", machine: "ascend-910b-like", cores: 2),
    MutationSetup(
      kernel: "flash_attention",
      arguments: [
        "q": "1", "kv": "200", "heads": "4", "kv-heads": "2", "head-dim": "64",
        "kv-format": "e4m3fn", "splits": "2",
      ], schedule: "tile.kv=64", cores: 2),
  ]
}
