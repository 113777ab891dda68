import NPUKernels
import NPUSim
import Testing

@Suite struct LaunchTests {
  private static let machines = ["edge", "tiny", "ascend-910b-like"]

  @Test(arguments: machines, [QueueOrder.found, .written])
  func `three launches that share tensors make the words of three runs by files`(
    name: String, order: QueueOrder
  ) throws {
    let chain = LaunchChain(
      machine: try Presets.named(name).configuration, order: order, seed: 7)
    let memory = try chain.memory()
    let expected = try chain.files(memory)
    let launches = try chain.launches(memory)
    var launcher = Launcher(chain.machine)
    for (launch, result) in zip(launches, expected) {
      let outcome = try launcher.run(launch, on: memory, .init(.values, verification: .full))
      #expect(outcome.checkedOutputs == outcome.totalOutputs && outcome.proof.isProved)
      #expect(outcome.timing != nil)
      let output = launch.bindings["out"] ?? launch.bindings["output"]
      #expect(try chain.words(output, memory) == result.storage, "\(launch)")
    }
  }

  @Test(arguments: machines, [QueueOrder.found, .written])
  func `the chain as one program is clean, and makes the same words`(
    name: String, order: QueueOrder
  ) throws {
    let chain = LaunchChain(
      machine: try Presets.named(name).configuration, order: order, seed: 8)
    let memory = try chain.memory()
    let expected = try chain.files(memory)
    let found = try chain.program(memory)
    let check = Checker.check(found.program)
    #expect(check.isClean && check.proof.isProved, "\(check.findings.map(\.message))")
    var storages: [String: TensorStorage] = [:]
    for name in memory.names { storages[name] = try memory.storage(of: name) }
    _ = try FunctionalEngine.run(
      found.program, state: MachineState(found.program, storages: storages))
    let launches = try chain.launches(memory)
    for (launch, result) in zip(launches, expected) {
      let output = launch.bindings["out"] ?? launch.bindings["output"]
      #expect(try chain.words(output, memory) == result.storage, "\(launch)")
    }
    // On chip the kernels take the same bytes one after another.
    for space in Space.allCases where space != .hbm {
      func end(_ prefix: String) -> Int {
        found.program.buffers.filter { $0.space == space && $0.name.hasPrefix(prefix) }
          .map { $0.base + $0.payloadExtent }.max() ?? 0
      }
      let most = ["rms_norm.", "gemm.", "residual_add."].map(end).max()
      #expect(most == end(""))
    }
    let shares = Set(found.program.buffers.filter { $0.space == .ub }.map(\.base))
    #expect(shares.count < found.program.buffers.count { $0.space == .ub && $0.core == 0 })
  }

  @Test func `equal launches are built once, whichever tensors they use`() throws {
    let chain = LaunchChain(
      machine: try Presets.named("edge").configuration, order: .found, seed: 9)
    let memory = try chain.memory()
    try memory.declare("other", memory.form(of: "stream"))
    try memory.write(memory.read(memory.whole("stream")), to: memory.whole("other"))
    var launcher = Launcher(chain.machine)
    var launches = try chain.launches(memory)
    for launch in launches { _ = try launcher.run(launch, on: memory) }
    #expect(launcher.programCount == 3)
    // Another tensor in the place of the stream: nothing new, and the words of the first time.
    let first = try memory.read(memory.whole("stream"))
    for place in launches.indices {
      launches[place].bindings = launches[place].bindings.mapValues {
        $0.tensor == "stream" ? TensorBinding("other", $0.view) : $0
      }
      _ = try launcher.run(launches[place], on: memory)
    }
    #expect(launcher.programCount == 3)
    #expect(try memory.read(memory.whole("other")) == first)
    // Another row of the norms is another place in the tensor, and another program.
    for launch in try chain.launches(memory, row: 3) { _ = try launcher.run(launch, on: memory) }
    #expect(launcher.programCount == 4)
  }

  @Test func `timing alone takes no byte of the memory and gives the cycles of the run`() throws {
    let machine = try Presets.named("edge").configuration
    let memory = TensorMemory(limit: MemoryLimit(bytes: 1))
    let form = try TensorForm(.bf16, [32, 4096])
    for name in ["x", "residual", "out"] { try memory.declare(name, form) }
    let whole = try ["x", "residual", "out"].map { ($0, try memory.whole($0)) }
    let launch = Launch(
      "sum", KernelCall("residual_add"), Dictionary(uniqueKeysWithValues: whole))
    var launcher = Launcher(machine)
    let outcome = try launcher.run(launch, on: memory, .init(.timing))
    let run = try KernelRun.run("residual_add", [:], on: machine, verification: .none)
    #expect(outcome.timing?.cycles == run.report.timing?.cycles)
    #expect(outcome.checkedOutputs == 0)
    let full = #expect(throws: NPUError.self) { _ = try launcher.run(launch, on: memory) }
    #expect(
      full?.category == .limit && full?.message.hasPrefix("launch 'sum' (residual_add): ") == true)
  }

  @Test func `a cache is updated in place, at slots that a tensor of the memory names`() throws {
    let machine = try Presets.named("edge").configuration
    let call = KernelCall("compress_epilog", ["tokens": "5", "slots": "16", "dim": "128"])
    var launcher = Launcher(machine)
    let kernel = try launcher.kernel(call)
    let memory = TensorMemory()
    var bindings: TensorBindings = [:]
    for spec in kernel.tensors where spec.role != .intermediate {
      try memory.declare(spec.name, spec.form)
      bindings[spec.name] = try memory.whole(spec.name)
    }
    func fill(_ turn: UInt64, _ slots: [Int32]) throws {
      for spec in kernel.tensors where spec.role.isGiven {
        if spec.role == .updated && turn > 0 { continue }
        let bytes =
          spec.role == .index
          ? slots.flatMap { slot in withUnsafeBytes(of: slot.littleEndian) { Array($0) } }
          : try SeededInput(seed: turn, name: spec.name)
            .tensor(shape: spec.shape, dtype: spec.format.dtype).storage
        try memory.write(TensorWords(payload: bytes), to: memory.whole(spec.name))
      }
    }
    try fill(0, [3, 1, 15, -1, 0])
    let launch = Launch("store", call, bindings)
    let before = try memory.read(memory.whole("cache")).payload
    _ = try launcher.run(launch, on: memory, .init(.values, verification: .full))
    let first = try memory.read(memory.whole("cache")).payload
    try fill(1, [2, 4, 5, 6, 7])
    _ = try launcher.run(launch, on: memory, .init(.values, verification: .full))
    let second = try memory.read(memory.whole("cache")).payload
    let width = first.count / 16
    for slot in 0..<16 {
      let row = slot * width..<(slot + 1) * width
      #expect((first[row] == before[row]) == ![0, 1, 3, 15].contains(slot), "slot \(slot)")
      #expect((second[row] == first[row]) == ![2, 4, 5, 6, 7].contains(slot), "slot \(slot)")
    }
    // Other slots are other footprints.
    #expect(launcher.programCount == 2)
  }

  @Test func `a word that differs names the launch and the tensor`() throws {
    // Rows that are written before they are read, one place further: no sum of what was there.
    let memory = TensorMemory()
    let form = try TensorForm(.bf16, [40, 512])
    try memory.declare("stream", form)
    try memory.declare("residual", form)
    for name in memory.names {
      let words = try SeededInput(seed: 3, name: name).tensor(shape: form.shape).storage
      try memory.write(TensorWords(payload: words), to: memory.whole(name))
    }
    let launch = Launch(
      "layer 3 residual",
      KernelCall(
        "residual_add", ["rows": "32", "cols": "512"],
        schedule: "tile.rows=1,tile.columns=512,stages=1,queue.order=written"),
      [
        "x": TensorBinding("stream", try form.whole.window(0, 0..<32)),
        "residual": TensorBinding("residual", try form.whole.window(0, 0..<32)),
        "out": TensorBinding("stream", try form.whole.window(0, 1..<33)),
      ])
    var launcher = Launcher(try Presets.named("edge").configuration)
    let error = #expect(throws: NPUError.self) {
      _ = try launcher.run(launch, on: memory, .init(.values, verification: .full))
    }
    let message = error?.message ?? ""
    #expect(
      message.hasPrefix("launch 'layer 3 residual' (residual_add): ")
        && message.contains("words differ from the reference; the first is out at [1, "),
      "\(message)")
  }

  @Test func `a launch that is bound to the wrong things says so`() throws {
    let chain = LaunchChain(
      machine: try Presets.named("edge").configuration, order: .found, seed: 1)
    let memory = try chain.memory()
    var launcher = Launcher(chain.machine)
    func message(_ change: (inout Launch) throws -> Void) throws -> String {
      var launch = try chain.launches(memory)[0]
      try change(&launch)
      let error = #expect(throws: NPUError.self) { _ = try launcher.run(launch, on: memory) }
      return error?.message ?? ""
    }
    let prefix = "launch 'norm 1' (rms_norm): "
    #expect(
      try message { $0.bindings["weight"] = nil }
        == prefix + "the input weight is bound to no tensor")
    #expect(
      try message { $0.bindings["inv"] = $0.bindings["out"] }
        == prefix + "inv is an intermediate of rms_norm, found it bound")
    #expect(
      try message { $0.bindings["wieght"] = $0.bindings["out"] }
        == prefix + "wieght is no tensor of rms_norm, found it bound")
    #expect(
      try message { $0.bindings["x"]?.tensor = "strem" } == prefix + "found no tensor 'strem'")
    #expect(
      try message { $0.bindings["x"]?.tensor = "matrix" }
        == prefix + "found a view of bf16 [15, 96], but 'matrix' is bf16 [96, 96]")
    #expect(
      try message { $0.bindings["x"] = try memory.whole("stream") }
        == prefix
        + "x: found a view of shape [15, 96] of bf16 [15, 96], needed 1 × 12 × 96 elements: its "
        + "dimensions [15, 96] do not divide into them")
    // What lies between was never written.
    #expect(
      try message { $0.bindings["x"] = $0.bindings["out"] }
        .hasPrefix(prefix + "I001 uninitialised read"))
  }
}
