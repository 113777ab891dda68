import NPUKernels
import NPUSim
import Testing

/// The schedule that a kernel chooses by itself fits its machine, or is refused with what would.
@Suite struct ScheduleFitTests {
  private static let seed: UInt64 = 0x5EED_3000

  /// What building and checking a kernel by itself gives: its capacity and event findings, or an error.
  private static func outcome(_ run: RandomRun) throws -> Result<[String], NPUError> {
    let machine = try run.machine
    do throws(NPUError) {
      let kernel = try KernelRun.kernel(run.kernel, run.arguments, on: machine)
      let program = try kernel.wholeProgram(IndexTensors(kernel, seed: run.seed), on: machine)
        .program
      let findings = Checker.check(program, CheckOptions()).findings
      return .success(findings.filter { $0.severity == .error }.map { "\($0.code): \($0.message)" })
    } catch { return .failure(error) }
  }

  @Test func `no schedule of a kernel's own has a finding on any machine`() throws {
    var refusals = 0
    for number in 0..<(TestScale.isFull ? 2000 : 200) {
      var random = SeededGenerator(seed: Self.seed + UInt64(number))
      var run = RandomRun(seed: Self.seed + UInt64(number))
      if random.below(3) == 0 { run.settings.append("events.per_pair=\(1 + random.below(6))") }
      if random.below(6) == 0 { run.settings.append("vector.lanes=\(4 << random.below(6))") }
      switch try Self.outcome(run) {
      case .success(let faults): #expect(faults == [], "\(run.command)")
      case .failure(let error):
        refusals += 1
        #expect([.program, .usage].contains(error.category), "\(run.command): \(error)")
        #expect(error.hint != nil, "\(run.command): \(error.message)")
      }
    }
    #expect(refusals > 0)
  }

  @Test(arguments: [
    (FlashAttention.name, "q=32 kv=64 head-dim=32", "stages=3"),
    (ResidualAdd.name, "rows=20 cols=64", "tile.rows=1,stages=9"),
    (RMSNorm.name, "rows=9 cols=64", "stages=6"), (Rope.name, "positions=9 heads=4", "stages=7"),
    (Softmax.name, "rows=20 cols=64", "stages=9"),
    (Swiglu.name, "hidden=64 ffn=64", "stages.weights=9"),
    (Linear.name, "tokens=3 in=512 out=64 residual=true", "rung=3,tile.k=32,chunk.k=32,tile.n=8"),
    (Gemm.name, "m=64 n=64 k=512", "rung=3,tile.k=32,chunk.k=32,stages.input=6,stages.other=6"),
  ])
  func `no schedule is refused for event IDs, and one ID is enough`(
    kernel: String, flags: String, schedule: String
  ) throws {
    var machine = try Presets.named("edge").configuration
    machine.eventsPerPair = 1
    let report = try KernelCase(kernel, KernelCase.flags(flags)).run(
      on: machine, schedule: schedule
    ).report
    #expect(report.findings.filter { $0.severity == .error }.isEmpty)
    #expect(report.numerics?.isBitExact == true)
  }
}
