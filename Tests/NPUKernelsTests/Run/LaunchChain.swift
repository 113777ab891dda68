import NPUKernels
import NPUSim

/// rms_norm, gemm and residual_add on tensors that they share: the sum of what a norm and a product make
/// of a stream is added to it. By launches, by one program, and by files.
struct LaunchChain {
  static let rows = 12
  static let columns = 96

  let machine: MachineConfiguration
  let order: QueueOrder
  let seed: UInt64

  private var schedule: String { "queue.order=\(order.name)" }
  private var square: [String: String] { ["rows": "\(Self.rows)", "cols": "\(Self.columns)"] }

  private var norm: KernelCall { KernelCall("rms_norm", square, schedule: schedule) }
  private var add: KernelCall { KernelCall("residual_add", square, schedule: schedule) }
  private var product: KernelCall {
    KernelCall(
      "gemm",
      [
        "m": "\(Self.rows)", "n": "\(Self.columns)", "k": "\(Self.columns)", "operands": "bf16",
      ], schedule: schedule)
  }

  /// What the chain starts with: a stream with more rows than the chain takes, a weight that is one row of
  /// several, a matrix, and room for what lies between, in which each row has other things beside it.
  func memory() throws(NPUError) -> TensorMemory {
    let memory = TensorMemory()
    try memory.declare("stream", TensorForm(.bf16, [Self.rows + 3, Self.columns]))
    try memory.declare("norms", TensorForm(.bf16, [4, Self.columns]))
    try memory.declare("matrix", TensorForm(.bf16, [Self.columns, Self.columns]))
    try memory.declare("work", TensorForm(.bf16, [Self.rows, 3, Self.columns]))
    for name in ["stream", "norms", "matrix"] {
      let form = try memory.form(of: name)
      let value = try SeededInput(seed: seed, name: name).tensor(shape: form.shape)
      try memory.write(TensorWords(payload: value.storage), to: memory.whole(name))
    }
    return memory
  }

  private func stream(_ memory: TensorMemory) throws(NPUError) -> TensorBinding {
    TensorBinding("stream", try memory.form(of: "stream").whole.window(0, 2..<2 + Self.rows))
  }

  private func work(_ place: Int, _ memory: TensorMemory) throws(NPUError) -> TensorBinding {
    let part = try memory.form(of: "work").whole.window(1, place..<place + 1)
    return TensorBinding("work", part)
  }

  /// The three launches, for a row of the norms.
  func launches(_ memory: TensorMemory, row: Int = 1) throws(NPUError) -> [Launch] {
    let weight = try memory.form(of: "norms").whole.window(0, row..<row + 1)
    let stream = try stream(memory)
    let (normed, made) = (try work(2, memory), try work(0, memory))
    return [
      Launch(
        "norm \(row)", norm,
        ["x": stream, "weight": TensorBinding("norms", weight), "out": normed]),
      Launch(
        "product \(row)", product,
        ["input": normed, "other": try memory.whole("matrix"), "output": made]),
      Launch("sum \(row)", add, ["x": made, "residual": stream, "out": stream]),
    ]
  }

  /// The chain as one program.
  func program(_ memory: TensorMemory) throws(NPUError) -> FoundOrder {
    var launcher = Launcher(machine)
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    for (place, launch) in try launches(memory).enumerated() {
      if place > 0 { p.joinCores() }
      try launcher.kernel(launch.call).emit(
        into: &p, as: launch.call.kernel, bindings: launch.bindings)
    }
    return FoundOrder(p.sequential(), order: order)
  }

  /// What every launch made, by runs that know nothing of one another: each is given the words of the one
  /// before as a file would hold them.
  func files(_ memory: TensorMemory) throws(NPUError) -> [Tensor] {
    func tensor(_ binding: TensorBinding) throws(NPUError) -> Tensor {
      try Tensor(
        dtype: .bf16, shape: [Self.rows, Self.columns], storage: memory.read(binding).payload)
    }
    let stream = try tensor(stream(memory))
    let all = try memory.read(memory.whole("norms")).payload
    let weight = try Tensor(
      dtype: .bf16, shape: [Self.columns],
      storage: Array(all[2 * Self.columns..<4 * Self.columns]))
    let matrix = try Tensor(
      dtype: .bf16, shape: [Self.columns, Self.columns],
      storage: memory.read(memory.whole("matrix")).payload)
    let normed = try run(norm, ["x": stream, "weight": weight], "out")
    let made = try run(product, ["input": normed, "other": matrix], "output")
    return [normed, made, try run(add, ["x": made, "residual": stream], "out")]
  }

  private func run(
    _ call: KernelCall, _ inputs: [String: Tensor], _ output: String
  ) throws(NPUError) -> Tensor {
    var set = TensorSet()
    for (name, value) in inputs { try set.insert(value, named: name) }
    let run = try KernelRun.run(
      call.kernel, call.arguments, on: machine, schedule: call.schedule, inputs: set)
    guard let found = try run.dump()[output] else {
      throw NPUError(.internal, "\(call.kernel) dumped no \(output)")
    }
    return found
  }

  /// The words of a view.
  func words(_ binding: TensorBinding?, _ memory: TensorMemory) throws -> [UInt8] {
    try binding.map { try memory.read($0).payload } ?? []
  }
}
