import NPUKernels
import NPUSim
import Testing

@Suite struct RandomRunTests {
  private static let seed: UInt64 = 0x5EED_0000
  private static var count: Int { TestScale.isFull ? 500 : 50 }

  @Test func `random shapes on random machines are proved, bit-exact and without surplus`() throws {
    for number in 0..<Self.count {
      let run = RandomRun(seed: Self.seed + UInt64(number))
      var request = RunRequest(kernel: run.kernel, machine: try run.machine)
      request.arguments = run.arguments
      request.schedule = run.schedule
      request.seed = run.seed
      request.verification = .full
      request.lints = true
      request.jitterRuns = 1
      let report: RunReport
      do {
        report = try Runner.run(request).report
      } catch {
        // What does not fit a small machine says so, and nothing else is refused.
        #expect(run.preset == "tiny", "\(run.command): \(error)")
        #expect(error.category == .program || error.category == .usage, "\(run.command): \(error)")
        #expect(error.hint != nil, "\(run.command): \(error.message)")
        continue
      }
      #expect(KernelRun.faults(report) == [], "\(run.command)")
      #expect(report.jitter?.changed == 0, "\(run.command)")
    }
  }
}
