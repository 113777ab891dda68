import NPUKernels
import NPUSim
import Testing

/// The law of schedules: a program is a function of (shape, machine, line of the schedule).
@Suite struct ScheduleLineTests {
  private static let machines = ["edge", "tiny", "ascend-910b-like", "ascend-950-like"]

  /// Random shapes of a kernel, its rungs and options mixed: twenty, a tenth of them by default.
  private static func shapes(of kernel: String) -> [RandomRun] {
    var shapes: [RandomRun] = []
    var seed: UInt64 = 0x5EED_5C4E
    while shapes.count < (TestScale.isFull ? 20 : 2) * (kernel == FlashAttention.name ? 2 : 1) {
      let run = RandomRun(seed: seed)
      if run.kernel == kernel { shapes.append(run) }
      seed += 1
    }
    return shapes
  }

  /// The program of a shape with a line, and the line that the kernel then has.
  private func made(
    _ one: KernelCase, _ machine: MachineConfiguration, _ line: String?
  ) throws(NPUError) -> (line: String, program: Program) {
    let kernel = try one.make(on: machine, schedule: line)
    return (
      kernel.scheduleFields.text,
      try kernel.wholeProgram(IndexTensors(kernel, seed: 0), on: machine).program
    )
  }

  private static func doubled(_ machine: MachineConfiguration) -> MachineConfiguration {
    var larger = machine
    for space in Space.allCases where space.isOnChip {
      larger.memories[space.index].bytes = machine[space].bytes.map { 2 * $0 }
    }
    return larger
  }

  /// Whether the line that a kernel has gives its program again; `nil` where there is none.
  private func isFunctionOfItsLine(
    _ one: KernelCase, _ machine: MachineConfiguration, _ schedule: String? = nil
  ) -> Bool? {
    guard let (line, program) = try? made(one, machine, schedule) else { return nil }
    let lanes = "\(line),lanes=\(machine.vector.lanes)"
    return [
      (machine, line), (Self.doubled(machine), line),
      (machine, lanes.replacing(",", with: ", ")),
    ].allSatisfy { machine, text in
      guard let again = try? made(one, machine, text) else { return false }
      return again.line == line && again.program.buffers == program.buffers
        && again.program.cores == program.cores && again.program.taps == program.taps
    }
  }

  @Test(arguments: Catalog.kernels.map { $0.name })
  func `the printed line gives the same program, on larger memories too`(kernel: String) throws {
    var made = 0
    for run in Self.shapes(of: kernel) {
      for name in Self.machines {
        let machine = try Presets.named(name).configuration
        let one = KernelCase(run.kernel, run.arguments)
        guard let holds = isFunctionOfItsLine(one, machine, run.schedule) else { continue }
        made += 1
        #expect(holds, "\(one) on \(name), \(run.schedule ?? "own schedule")")
      }
    }
    #expect(made > 0)
  }

  /// Shapes whose programs looked at memories before that was a field.
  @Test(arguments: [
    KernelCase("gemm", ["m": "100", "n": "100", "k": "600", "operands": "bf16"]),
    KernelCase("flash_attention"),
    KernelCase(
      "flash_attention", ["q": "40", "kv": "200", "head-dim": "256", "rung": "online"]),
    KernelCase("flash_attention", ["q": "33", "kv": "700", "rung": "unfused"]),
    KernelCase(
      "flash_attention", ["q": "1", "kv": "512", "head-dim": "256", "kv-format": "mxint8"]),
  ])
  func `no program looks at what memories hold`(one: KernelCase) throws {
    #expect(try isFunctionOfItsLine(one, Presets.named("edge").configuration) == true)
  }

  @Test(arguments: ScheduleFieldTests.cases)
  func `the line of a page and the object of its JSON are accepted letter for letter`(
    one: KernelCase
  ) throws {
    let machine = try Presets.named("edge").configuration
    func run(_ schedule: String?) throws -> Run {
      var request = RunRequest(kernel: one.kernel, machine: machine)
      request.arguments = one.arguments
      request.schedule = schedule
      request.plan = .check
      return try Runner.run(request)
    }
    let first = try run(nil)
    let page = first.report.text().split(separator: "\n").first { $0.hasPrefix("schedule ") }
    let line = try #require(page?.dropFirst("schedule ".count))
    let object = try #require(first.report.json()["schedule"]).text()
    for given in [String(line), object] {
      let again = try run(given)
      #expect(again.program.buffers == first.program.buffers, "\(given)")
      #expect(again.program.cores == first.program.cores, "\(given)")
      #expect(again.report.text() == first.report.text(), "\(given)")
    }
  }

  /// Fields without the mark, with other values that fit: the same words.
  @Test(arguments: ScheduleFieldTests.cases)
  func `words depend on the fields that say so, and on no other`(one: KernelCase) throws {
    let machine = try Presets.named("ideal").configuration
    let first = try one.run(on: machine)
    let words = try first.dump()
    for entry in try one.make(on: machine).scheduleFields.fields where !entry.field.affectsValues {
      for value in [1, 2, 3, 32, 64] where value != entry.value {
        guard entry.field.values.contains(value) else { continue }
        let schedule = "\(entry.name)=\(entry.field.values.text(value))"
        guard (try? one.make(on: machine, schedule: schedule)) != nil else { continue }
        let other = try one.run(on: machine, schedule: schedule)
        #expect(KernelRun.faults(other.report) == [], "\(one) --schedule \(schedule)")
        #expect(try other.dump() == words, "\(one) --schedule \(schedule)")
      }
    }
  }

  @Test(arguments: [
    (KernelCase("softmax", ["rows": "40", "cols": "3000", "passes": "2"]), "tile.cols=64"),
    (KernelCase("flash_attention", ["q": "4", "kv": "300"]), "tile.kv=32"),
    (KernelCase("flash_attention", ["q": "40", "kv": "300", "rung": "scalar"]), "tile.kv=9"),
  ])
  func `words do depend on what says so`(one: KernelCase, schedule: String) throws {
    let machine = try Presets.named("edge").configuration
    let name = String(schedule.prefix { $0 != "=" })
    let declared = try Catalog.kernel(named: one.kernel).scheduleDeclaration
    let isMarked = declared.filter { $0.name == name }.allSatisfy { $0.affectsValues }
    #expect(isMarked)
    #expect(
      try one.run(on: machine).dump() != one.run(on: machine, schedule: schedule).dump())
  }

  @Test(arguments: Catalog.kernels.map { $0.name })
  func `every field of a schedule is declared, with its values and what it does`(
    kernel: String
  ) throws {
    let declared = try Catalog.kernel(named: kernel).scheduleDeclaration
    for one in ScheduleFieldTests.cases where one.kernel == kernel {
      for entry in try one.make(on: Presets.named("edge").configuration).scheduleFields.fields {
        // Under which condition is not said where all programs of a kernel have a field.
        let isKnown = declared.contains {
          ($0.name, $0.summary) == (entry.name, entry.field.summary)
            && $0.values == entry.field.values
        }
        #expect(isKnown, "\(entry.name)")
      }
    }
    for field in declared {
      #expect(!field.summary.isEmpty && !field.standard.isEmpty, "\(field.name)")
      #expect(!field.name.contains { $0 == "," || $0 == "=" || $0.isWhitespace }, "\(field.name)")
    }
  }

  @Test(arguments: [
    ("stages.fed=2", "the schedule has no field 'stages.fed'", "did you mean stages.feed?"),
    ("depth=2", "the schedule has no field 'depth'", "the fields are tile.tokens, tile.columns"),
    ("stages.feed", "--schedule needs name=value, found 'stages.feed'", "stages=2"),
    ("stages.feed=2,stages.feed=3", "gives stages.feed twice, as '2' and '3'", "keep one of them"),
    (
      "stages.feed=two", "stages.feed needs a whole number from 1 to 65535, found 'two'", "slots of"
    ),
    ("stages.feed=0", "stages.feed needs a whole number from 1 to 65535, found '0'", "slots of"),
    ("stages.feed=", "stages.feed needs a whole number from 1 to 65535, found ''", "slots of"),
    ("tile.k=48", "tile.k needs a multiple of 32 from 32 to 1073741824, found '48'", "depth of"),
    (
      "lanes=8", "--schedule lanes=8 on edge, which has 32: lanes are the machine's", "vector.lanes"
    ),
    ("lanes=32,lanes=32", "gives lanes twice", "keep one of them"),
    ("{\"tile.k\": true}", "tile.k needs a multiple of 32 from 32 to 1073741824, found 'true'", ""),
    ("{\"tile.k\": 32", "the text ends inside the object", ""),
    ("{\"tile.k\": 32, \"tile.k\": 32}", "tile.k", ""),
  ])
  func `a line that makes no sense is refused with what was needed`(
    line: String, message: String, hint: String
  ) throws {
    let one = KernelCase("swiglu", ["hidden": "70", "ffn": "40"])
    let machine = try Presets.named("edge").configuration
    let error = KernelRun.error { () throws(NPUError) in
      try one.make(on: machine, schedule: line)
    }
    #expect(error?.category == .usage)
    let found = error?.message ?? "accepted"
    #expect(found.contains(message))
    #expect(hint.isEmpty || error?.hint?.contains(hint) == true, "\(error?.hint ?? "no hint")")
  }

  @Test(arguments: [
    (
      ["q": "128"], "ascend-910b-like", "piece=96",
      "piece needs a multiple of 64 (blocks and lanes) or tile.kv = 128, found 96"
    ),
    (
      ["q": "128"], "edge", "piece=128,chunk=96",
      "chunk needs piece = 128, or a part of it that is a multiple of 32, found 96"
    ),
    (
      ["q": "1"], "edge", "tile.right=48",
      "tile.right needs a multiple of 32 (alignment) or all 128, found 48"
    ),
  ])
  func `parts of a tile start where the machine can start`(
    arguments: [String: String], machine: String, line: String, message: String
  ) {
    let one = KernelCase("flash_attention", arguments)
    let found = one.refusal(on: machine, schedule: line)
    #expect(found?.contains(message) == true, "\(found ?? "accepted")")
  }

  @Test func `rows of gemm's operands are encoded in whole blocks`() {
    let one = KernelCase("gemm", ["operands": "bf16"])
    let found = one.refusal(schedule: "piece.other=33")
    let message = "piece.other needs a multiple of 32 (whole blocks), or the whole load of "
    #expect(found?.contains(message) == true, "\(found ?? "accepted")")
  }

  @Test(arguments: ["", " ", ",", "stages=1", " stages=1 , ", "stages=1\n  tile.rows=1"])
  func `blanks and commas separate`(line: String) throws {
    let one = KernelCase("argmax", ["rows": "3", "cols": "70"])
    #expect(one.refusal(schedule: line) == nil)
  }
}
