import NPUKernels
import NPUSim
import Testing

/// A schedule is refused exactly when its program does not fit.
@Suite struct BufferPlanLawTests {
  private static let seed: UInt64 = 0xB0FF_E400
  static let hands = 4
  static let machines = ["edge", "tiny", "ascend-910b-like", "ascend-950-like"]

  /// Shapes of every kernel: around blocks, lanes and tiles, ragged, of one row and of more rows than a
  /// core has; small enough for memories of one kilobyte, and larger than those of any preset.
  static let cases: [KernelCase] = {
    var cases: [KernelCase] = []
    func add(_ kernel: String, _ flags: [String]) {
      cases += flags.map { KernelCase(kernel, KernelCase.flags($0)) }
    }
    for kernel in ["residual_add", "rms_norm", "argmax"] {
      add(kernel, ["rows=1 cols=1", "rows=64 cols=192", "rows=7 cols=97", "rows=3 cols=11008"])
    }
    add(
      "embedding",
      [
        "tokens=5 hidden=70 vocab=9", "tokens=64 hidden=192 vocab=9",
        "tokens=1 hidden=8192 vocab=3",
      ])
    add(
      "cache_store",
      [
        "slots=1 rows=1 cols=1", "slots=3 rows=33 cols=40 along=rows", "rows=200 cols=96",
        "slots=2 rows=7 cols=5000", "rows=3 cols=9000 along=rows", "rows=64 cols=192 format=bf16",
      ])
    add("softmax", ["rows=5 cols=333", "rows=64 cols=40 passes=2", "rows=3 cols=40000"])
    add("rope", ["positions=33 head-dim=64", "positions=3 heads=5 head-dim=6", "positions=64"])
    add(
      "compress_epilog",
      ["tokens=33 dim=200", "tokens=8 dim=256 quant-mode=0 rung=composed", "tokens=9 dim=5000"])
    add(
      "softmax_v",
      [
        "kv=33 heads=2 head-dim=40", "kv=300 heads=4 kv-heads=2 head-dim=64 q=3",
        "kv=64 heads=1 head-dim=32 batch=2 stable=true",
      ])
    for operands in ["mxint8", "bf16"] {
      add(
        "gemm",
        ["m=33 n=65 k=97", "m=1 n=40 k=70", "m=100 n=7 k=513"].map { "\($0) operands=\(operands)" })
      add("gevm", ["k=333 n=77 operands=\(operands)"])
      add("dot_product", ["n=1000 operands=\(operands)"])
    }
    add(
      "linear",
      [
        "tokens=3 in=70 out=40", "tokens=20 in=96 out=200 residual=true", "tokens=1 in=1000 out=33",
        "tokens=1 in=513 out=70 residual=true output=f32",
      ])
    add(
      "swiglu",
      ["tokens=3 hidden=70 ffn=40", "tokens=20 hidden=96 ffn=200", "tokens=1 hidden=1000 ffn=33"])
    add("flash_attention", ["rung=scalar q=7 kv=33 head-dim=1 heads=1 kv-heads=1"])
    for rung in ["unfused", "online", "pipelined"] {
      add(
        "flash_attention",
        [
          "q=33 kv=65 head-dim=32 causal=true", "q=40 kv=300 head-dim=64 heads=4 kv-heads=2",
          "q=9 kv=70 head-dim=4 kv-format=mxint8",
        ].map { "rung=\(rung) \($0)" })
    }
    for format in ["bf16", "mxint8", "e4m3fn"] {
      add("flash_attention", ["rung=decode q=1 kv=200 heads=4 kv-heads=2 kv-format=\(format)"])
    }
    add(
      "flash_attention",
      [
        "rung=decode q=1 kv=300 kv-format=e5m2 splits=2", "rung=composed q=1 kv=90 kv-format=e5m2",
        "rung=spread q=1 kv=300 heads=4 kv-heads=2", "rung=spread q=1 kv=90 kv-format=e5m2",
      ])
    return cases
  }()

  /// Bytes of each on-chip memory up to the last one that a program's buffers take.
  private static func used(_ program: Program) -> [Space: Int] {
    var used: [Space: Int] = [:]
    for buffer in program.buffers where buffer.space != .hbm {
      var end = buffer.base + buffer.payloadExtent
      if !buffer.space.hasScaleSideArray && buffer.scaleExtent > 0 {
        end = max(end, buffer.scaleBase + buffer.scaleExtent)
      }
      used[buffer.space] = max(used[buffer.space] ?? 0, end)
    }
    return used
  }

  /// A line of the kernel's fields with some of them changed: halved, one less, or anything up to twice.
  private static func line(
    _ kernel: any Kernel, _ random: inout SeededGenerator
  ) -> String {
    kernel.scheduleFields.fields.map { entry in
      let (name, value) = (entry.name, entry.value)
      if case .words = entry.field.values { return "\(name)=\(entry.text)" }
      var wanted = value
      switch random.below(6) {
      case 0: wanted = value / 2
      case 1: wanted = value - 1
      case 2: wanted = 1 + random.below(2 * max(1, value))
      default: break
      }
      if value % 32 == 0 && wanted % 32 != 0 && value > 0 { wanted = (wanted / 32 + 1) * 32 }
      return "\(name)=\(max(min(1, value), wanted))"
    }.joined(separator: ",")
  }

  /// What a law finds wrong with each case on each machine: with its own schedule and two others.
  private static func faults(
    hand: Int, _ law: (KernelCase, MachineConfiguration, String, Program) throws -> [String]
  ) throws -> [String] {
    var faults: [String] = []
    var judged = 0
    for (index, one) in cases.enumerated() where index % hands == hand {
      for (place, name) in machines.enumerated() {
        var random = SeededGenerator(seed: seed + UInt64(8 * index + place))
        guard TestScale.isFull || random.below(4) == 0 else { continue }
        var machine = try Presets.named(name).configuration
        if random.below(3) == 0 { machine.cores = 1 + random.below(3) }
        guard let own = try? one.make(on: machine) else { continue }
        for turn in 0..<3 {
          let asked = turn == 0 ? own.scheduleFields.text : line(own, &random)
          guard let kernel = try? one.make(on: machine, schedule: asked) else { continue }
          let text = kernel.scheduleFields.text
          judged += 1
          faults += try law(one, machine, text, kernel.program()).map {
            "\(one) on \(name), \(machine.cores) cores, --schedule \(text): \($0)"
          }
        }
      }
    }
    #expect(judged > 10)
    return faults
  }

  private static func isSame(_ a: Program, _ b: Program) -> Bool {
    a.cores == b.cores && a.buffers == b.buffers && a.tiles == b.tiles && a.works == b.works
      && a.scopes == b.scopes && a.scopeLabels == b.scopeLabels && a.indexLists == b.indexLists
      && a.taps == b.taps
  }

  @Test(arguments: 0..<hands)
  func `a line makes the same program in memories of just what it uses, and in less is refused`(
    hand: Int
  ) throws {
    let faults = try Self.faults(hand: hand) { one, machine, line, program in
      var small = machine
      let used = Self.used(program)
      for (space, bytes) in used { small.memories[space.index].bytes = bytes }
      let error = KernelRun.error { () throws(NPUError) in
        try one.make(on: small, schedule: line)
      }
      if let error { return ["refused where it fits: \(error)"] }
      let again = try one.make(on: small, schedule: line).program()
      if !Self.isSame(again, program) { return ["another program"] }
      return used.compactMap { space, bytes in
        var less = small
        let holds = bytes - max(1, machine[space].alignment)
        less.memories[space.index].bytes = holds
        let error = KernelRun.error { () throws(NPUError) in
          try one.make(on: less, schedule: line)
        }
        let isRefused =
          error?.category == .program
          && error?.message.contains("\(space.name) holds \(holds) bytes, needed ") == true
        return isRefused ? nil : "\(space.name) of \(holds): \(error?.message ?? "accepted")"
      }
    }
    #expect(faults.isEmpty, "\(faults.count): \(faults.prefix(8))")
  }

  @Test(arguments: 0..<hands)
  func `each core with work has the buffers of the plan, in its order, and no other`(
    hand: Int
  ) throws {
    let faults = try Self.faults(hand: hand) { one, machine, line, program in
      let plan = try one.make(on: machine, schedule: line).buffers.buffers
      var faults: [String] = []
      if Set(plan.map { "\($0.space.name) \($0.name)" }).count < plan.count {
        faults.append("two buffers of one name")
      }
      for core in program.cores.indices {
        let own = program.buffers.filter { Int($0.core) == core }.map {
          PlannedBuffer(
            $0.name, $0.space, $0.format, slots: $0.slots, rows: $0.rows, columns: $0.columns,
            axis: $0.axis)
        }
        let isIdle = program.cores[core].isEmpty
        if own != (isIdle ? [] : plan) { faults.append("core \(core) has \(own)") }
      }
      return faults
    }
    #expect(faults.isEmpty, "\(faults.count): \(faults.prefix(4))")
  }

  @Test func `rms_norm of whole rows needs its weight once`() throws {
    var machine = try Presets.named("edge").configuration
    let one = KernelCase("rms_norm", ["rows": "64", "cols": "192"])
    let line = "tile.rows=21,tile.columns=192,stages=3"
    machine.memories[Space.ub.index].bytes = 105_888
    let program = try one.make(on: machine, schedule: line).program()
    #expect(program.defects.isEmpty)
    #expect(Self.used(program)[.ub] == 105_888)
    machine.memories[Space.ub.index].bytes = 105_856
    let error = KernelRun.error { () throws(NPUError) in
      try one.make(on: machine, schedule: line)
    }
    let refusal = error?.message ?? "accepted"
    #expect(refusal.hasSuffix("ub holds 105856 bytes, needed 105888"), "\(refusal)")
  }
}
