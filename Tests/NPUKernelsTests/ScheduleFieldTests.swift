import NPUKernels
import NPUSim
import Testing

@Suite struct ScheduleFieldTests {
  /// A small shape of each kernel, and flash_attention by each of its rungs.
  static let cases =
    Catalog.kernels.filter { $0.name != FlashAttention.name }
    .map { KernelCase($0.name, small[$0.name] ?? [:]) }
    + ["scalar", "unfused", "online", "pipelined", "decode"].map {
      KernelCase(
        FlashAttention.name,
        ["q": "4", "kv": "70", "rung": $0].merging(
          $0 == "scalar" ? [:] : ["head-dim": "32"], uniquingKeysWith: { a, _ in a }))
    }

  private static let small = [
    "gemm": ["m": "40", "n": "40", "k": "70"], "gevm": ["k": "70", "n": "40"],
    "dot_product": ["n": "70"], "softmax": ["rows": "3", "cols": "70"],
    "softmax_v": ["kv": "70", "heads": "2", "head-dim": "32"],
    "compress_epilog": ["tokens": "4", "dim": "256"],
    "rope": ["positions": "4", "head-dim": "32"], "rms_norm": ["rows": "3", "cols": "70"],
    "linear": ["in": "70", "out": "40"], "swiglu": ["hidden": "70", "ffn": "40"],
    "embedding": ["tokens": "4", "hidden": "70", "vocab": "9"],
    "cache_store": ["slots": "2", "rows": "40", "cols": "70"],
    "residual_add": ["rows": "3", "cols": "70"], "argmax": ["rows": "3", "cols": "70"],
  ]

  private func refusal(_ one: KernelCase, _ schedule: String) throws -> String? {
    let machine = try Presets.named("ideal").configuration
    let error = KernelRun.error { () throws(NPUError) in
      try one.make(on: machine, schedule: schedule)
    }
    return error.map { "\($0)" }
  }

  @Test(arguments: cases)
  func `a field outside its range is refused with the range`(one: KernelCase) throws {
    let kernel = try one.make(on: Presets.named("ideal").configuration)
    #expect(!kernel.scheduleFields.fields.isEmpty)
    for field in kernel.scheduleFields.fields {
      let values = field.field.values
      let (least, most) = (values.range.lowerBound, values.range.upperBound)
      #expect(values.contains(field.value), "\(one): the default of \(field.name)")
      for value in [least - 1, most + 1, .max, .min] {
        let found = try refusal(one, "\(field.name)=\(value)")
        let needed = ["a whole number", "a multiple of 32"].map { "\($0) from \(least) to \(most)" }
        let isRefused = (needed + ["written or found"]).contains { needed in
          found?.contains("\(field.name) needs \(needed), found ") == true
        }
        #expect(isRefused, "\(one): \(found ?? "accepted")")
      }
    }
  }

  @Test(arguments: cases)
  func `a field given twice is refused, and the schedule as it is printed is accepted`(
    one: KernelCase
  ) throws {
    let kernel = try one.make(on: Presets.named("ideal").configuration)
    let text = kernel.scheduleFields.text
    #expect(try refusal(one, text) == nil)
    for field in kernel.scheduleFields.fields {
      let found = try refusal(one, "\(text),\(field.name)=\(field.text)")
      #expect(found?.contains("gives \(field.name) twice") == true, "\(found ?? "accepted")")
    }
  }

  /// Every pair of fields at their largest, each on one of the machines, or on all of them in a full
  /// run: refused or not, never a trap.
  @Test(arguments: cases)
  func `fields at the ends of their ranges are judged without a trap`(one: KernelCase) throws {
    let machines = try KernelCase.machines()
    let fields = try one.make(on: machines[0]).scheduleFields.fields
    let largest = fields.map { "\($0.name)=\($0.largest)" }
    let schedules = largest.indices.flatMap { last in
      largest[...last].map { $0 == largest[last] ? $0 : "\($0),\(largest[last])" }
    }
    for (place, machine) in machines.enumerated() {
      for (number, schedule) in schedules.enumerated()
      where TestScale.isFull || number % machines.count == place {
        _ = KernelRun.error { () throws(NPUError) in
          try one.make(on: machine, schedule: schedule)
        }
      }
    }
  }

  /// Rings of 65,535 slots and tiles of 2^30, in memories without an end: programs of a size.
  @Test(arguments: cases)
  func `a field at the end of its range makes a program or a refusal`(one: KernelCase) throws {
    let machine = try Presets.named("ideal").configuration
    for field in try one.make(on: machine).scheduleFields.fields {
      let schedule = "\(field.name)=\(field.largest)"
      let error = KernelRun.error { () throws(NPUError) in
        let kernel = try one.make(on: machine, schedule: schedule)
        _ = try kernel.wholeProgram(IndexTensors(kernel, seed: 0), on: machine)
      }
      let isRefusal = error.map { $0.category != .internal } ?? true
      #expect(isRefusal, "\(one), \(schedule): \(error?.message ?? "")")
    }
  }

  private static let staged = ["tile.q", "tile.kv", "tile.staged"]
  private static let decoded = [
    "tile.q", "tile.kv", "tile.heads", "tile.staged", "tile.right", "stages.kv", "stages.rows",
    "stages",
  ]

  @Test(arguments: [
    ("scalar", "bf16", ["tile.q", "tile.kv"]), ("online", "bf16", staged + ["piece"]),
    ("online", "mxint8", ["tile.q", "tile.kv", "piece"]),
    ("unfused", "bf16", staged + ["tile.softmax", "stages.kv", "stages"]),
    ("pipelined", "bf16", staged + ["piece", "chunk", "stages.kv", "stages"]),
    ("pipelined", "mxint8", ["tile.q", "tile.kv", "piece", "chunk", "stages.kv", "stages"]),
    ("decode", "mxint8", ["tile.q", "tile.kv", "tile.heads", "tile.right", "stages.kv", "stages"]),
    ("decode", "e4m3fn", decoded), ("composed", "e5m2", decoded),
    ("spread", "bf16", Array(decoded.dropFirst())),
  ])
  func `a rung of attention has the fields that change its program, and no other`(
    rung: String, format: String, names: [String]
  ) throws {
    let one = KernelCase(
      FlashAttention.name,
      [
        "q": rung == "spread" ? "1" : "70", "kv": "300", "heads": "4",
        "head-dim": rung == "scalar" ? "1" : "64",
        "kv-format": format, "rung": rung,
      ])
    let machine = try Presets.named("ideal").configuration
    let kernel = try one.make(on: machine)
    #expect(kernel.scheduleFields.fields.map(\.name) == names + ["queue.order"])
    let program = try kernel.program()
    for name in names {
      let isUsed = [1, 2, 3, 7, 32, 64, 96].contains { value in
        guard let other = try? one.make(on: machine, schedule: "\(name)=\(value)").program() else {
          return false
        }
        return other.cores != program.cores || other.buffers != program.buffers
      }
      #expect(isUsed, "\(one): \(name)")
    }
    let all = FlashAttention.scheduleDeclaration.map(\.name)
    for name in all where !names.contains(name) && name != "queue.order" {
      let found = try refusal(one, "\(name)=32")
      #expect(found?.contains("the schedule has no field ") == true, "\(found ?? "accepted")")
    }
  }

  @Test(arguments: [
    ("rope", ["positions": "16", "factor": "8"], "--factor has no effect here"),
    (
      "rope", ["positions": "16", "factor": "8", "scaling": "none", "model": "llama-3.2-1b"],
      "--factor has no effect here"
    ),
    (
      "compress_epilog", ["tokens": "4", "dim": "128", "no-round-scale": "true"],
      "--no-round-scale has no effect here: it needs --quant-mode 0"
    ),
  ])
  func `an option that has no effect is refused with what it needs`(
    kernel: String, arguments: [String: String], reason: String
  ) throws {
    let found = KernelCase(kernel, arguments).refusal()
    #expect(found?.contains(reason) == true, "\(found ?? "accepted")")
  }

  @Test(arguments: [["scaling": "llama3"], ["model": "llama-3.2-1b"]])
  func `an option that has its effect is taken`(others: [String: String]) throws {
    let flags = ["positions": "16", "factor": "8"].merging(others) { a, _ in a }
    #expect(KernelCase("rope", flags).refusal() == nil)
  }
}

extension ScheduleFields.Entry {
  /// The largest value of the field, as lines have it.
  fileprivate var largest: String { field.values.text(field.values.range.upperBound) }
}
