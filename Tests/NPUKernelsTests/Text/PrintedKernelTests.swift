import NPUKernels
import NPUSim
import Testing

/// The printed text of a kernel is the same program: run on a dump of the kernel, it makes every word
/// of it again.
@Suite struct PrintedKernelTests {
  /// Several shapes of every kernel: ragged ones, and every form of its tensors in memory.
  static let cases: [KernelCase] =
    [
      ("dot_product", ["n": "100"]), ("dot_product", ["n": "70", "operands": "bf16"]),
      ("gevm", ["k": "70", "n": "65"]), ("gevm", ["k": "64", "n": "40", "operands": "bf16"]),
      ("gemm", ["m": "33", "n": "65", "k": "70"]),
      ("gemm", ["m": "20", "n": "32", "k": "33", "operands": "bf16", "output": "f32"]),
      ("softmax", ["rows": "5", "cols": "70"]),
      ("softmax", ["rows": "3", "cols": "100", "passes": "2", "exp": "base-2"]),
      ("softmax_v", ["kv": "40", "heads": "2", "head-dim": "32"]),
      ("softmax_v", ["kv": "33", "heads": "4", "kv-heads": "2", "q": "2", "head-dim": "32"]),
      ("flash_attention", ["q": "5", "kv": "40", "heads": "2", "head-dim": "32"]),
      (
        "flash_attention",
        ["q": "40", "kv": "40", "head-dim": "32", "causal": "true", "rung": "unfused"]
      ),
      ("flash_attention", ["q": "3", "kv": "70", "head-dim": "32", "rung": "online"]),
      (
        "flash_attention",
        ["q": "1", "kv": "300", "heads": "4", "kv-heads": "2", "head-dim": "32", "splits": "2"]
      ),
      ("flash_attention", ["q": "1", "kv": "70", "head-dim": "32", "page": "32"]),
      (
        "flash_attention",
        [
          "q": "1", "kv": "70", "heads": "2", "head-dim": "64", "page": "32", "batch": "2",
          "kv-format": "mxint8",
        ]
      ),
      (
        "flash_attention",
        [
          "q": "1", "kv": "70", "head-dim": "64", "page": "32", "kv-format": "e4m3fn",
        ]
      ),
      ("compress_epilog", ["tokens": "6", "dim": "150", "slots": "9"]),
      ("compress_epilog", ["tokens": "9", "dim": "128", "slots": "6", "quant-mode": "0"]),
      (
        "compress_epilog",
        ["tokens": "4", "dim": "256", "format": "e5m2", "input": "f16", "rung": "composed"]
      ),
      ("rope", ["positions": "5", "head-dim": "32"]),
      ("rope", ["positions": "3", "head-dim": "32", "layout": "half", "table": "fp32"]),
      ("rms_norm", ["rows": "5", "cols": "70"]),
      ("linear", ["tokens": "3", "in": "64", "out": "96"]),
      ("linear", ["tokens": "1", "in": "96", "out": "70", "residual": "true"]),
      ("swiglu", ["tokens": "3", "hidden": "64", "ffn": "96"]),
      ("swiglu", ["tokens": "1", "hidden": "96", "ffn": "70"]),
      ("embedding", ["tokens": "5", "vocab": "50", "hidden": "64"]),
      ("cache_store", ["slots": "2", "rows": "5", "cols": "70"]),
      ("cache_store", ["slots": "2", "rows": "37", "cols": "64", "along": "rows"]),
      ("cache_store", ["slots": "3", "rows": "5", "cols": "70", "format": "bf16"]),
      ("residual_add", ["rows": "3", "cols": "70"]), ("argmax", ["rows": "3", "cols": "70"]),
    ].map { KernelCase($0.0, $0.1) }

  private static func machine(cores: Int) throws -> MachineConfiguration {
    var machine = try Presets.named("edge").configuration
    machine.cores = cores
    return machine
  }

  /// The text of a kernel's program.
  private static func text(_ kernel: any Kernel, _ indices: IndexTensors, rolls: Bool = true)
    throws -> TextProgram
  {
    var options = ProgramText.Options()
    options.forms = kernel.fileForms
    options.rollsLoops = rolls
    let text = try ProgramText.print(try kernel.program(indices), options)
    return try TextProgram.parse(TextSource(file: "k.npu", bytes: text)).get()
  }

  @Test func `every kernel is among the cases`() {
    #expect(Set(Self.cases.map(\.kernel)) == Set(Catalog.kernels.map { $0.name }))
  }

  @Test(arguments: cases)
  func `the text of a kernel on the kernel's dump makes every word of it`(_ one: KernelCase) throws
  {
    for (cores, seed) in [(1, UInt64(0)), (3, 7)] {
      let machine = try Self.machine(cores: cores)
      let kernel = try one.make(on: machine)
      let run = try one.run(on: machine, seed: seed)
      let dump = try run.dump()
      let text = try Self.text(kernel, IndexTensors(kernel, seed: seed), rolls: seed == 0)
      var lists: [String: [Int32]] = [:]
      for spec in kernel.tensors where spec.role == .index {
        lists[spec.name] = try #require(dump[spec.name]).words(as: Int32.self)
      }
      let assembly = try text.assemble(machine: machine, catalogue: .standard, indices: lists).get()
      let roles = Dictionary(
        uniqueKeysWithValues: TextKernel(assembly).tensors.map { ($0.name, $0) })
      for spec in kernel.tensors {
        let printed = try #require(roles[spec.name], "\(one): \(spec.name)")
        #expect(
          printed.role == spec.role && printed.aliases == spec.aliases, "\(one): \(spec.name)")
        #expect(printed.shape == spec.shape && printed.axis == spec.axis, "\(one): \(spec.name)")
      }
      var request = RunRequest(kernel: "k.npu", machine: machine)
      request.inputs = dump
      request.expect = TensorSource(TensorArchive(dump))
      let again = try Runner.run(request, text: TextKernel(assembly))
      #expect(again.report.isClean, "\(one): \(again.report.findings.first?.message ?? "")")
      #expect(again.report.expectation?.beyond == 0, "\(one)")
      let words = try again.dump()
      for name in dump.names {
        #expect(words[name] == dump[name], "\(one), \(cores) cores: \(name)")
      }
    }
  }

  @Test
  func `other values for a list that no line uses are refused, for one that is used they hold`()
    throws
  {
    let machine = try Self.machine(cores: 1)
    let compress = try KernelCase(
      "compress_epilog", ["tokens": "3", "dim": "128", "slots": "4"]
    ).make(on: machine)
    let bound = try Self.text(compress, IndexTensors(["slot_mapping": [3, 0, 1]]))
    let same = bound.assemble(
      machine: machine, catalogue: .standard, indices: ["slot_mapping": [3, 0, 1]])
    #expect(same.errors.isEmpty)
    let other = bound.assemble(
      machine: machine, catalogue: .standard, indices: ["slot_mapping": [0, 1, 2]])
    let error = try #require(other.errors.first)
    #expect(error.category == .tensor && error.location != nil)
    #expect(error.message.hasPrefix("no line takes its rows from slot_mapping"))
    #expect(error.hint?.contains("leave slot_mapping out") == true)

    let embedding = try KernelCase("embedding", ["tokens": "3", "vocab": "9", "hidden": "64"])
      .make(on: machine)
    let program = try Self.text(embedding, IndexTensors(["ids": [8, 0, 4]]))
      .assemble(machine: machine, catalogue: .standard, indices: ["ids": [1, 2, 3]]).get().program
    #expect(program.indexLists == [[1, 2, 3]])
  }
}
