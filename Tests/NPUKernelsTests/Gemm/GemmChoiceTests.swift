import NPUKernels
import NPUSim
import Testing

/// The schedule that gemm chooses by itself, among others in the order that a glance finds. Those are
/// not timed whose busiest queue takes too long already.
@Suite struct GemmChoiceTests {
  static let seed: UInt64 = 1000

  static let shapes = [
    (16, 16, 16), (64, 64, 64), (48, 80, 112), (128, 128, 128), (100, 300, 50), (256, 256, 256),
    (16, 512, 512), (512, 16, 512), (333, 177, 500), (96, 1024, 64), (200, 200, 1000),
    (512, 512, 512), (384, 640, 256), (64, 64, 2048), (2048, 64, 64), (64, 2048, 64),
    (37, 1031, 211), (768, 768, 768), (333, 777, 1000), (1024, 256, 512), (256, 1024, 1024),
    (1024, 1024, 1024), (128, 2048, 1024), (2048, 128, 2048), (1000, 1000, 1000), (32, 2048, 2048),
    (1536, 1536, 512), (2048, 512, 1024), (1024, 2048, 2048), (2048, 2048, 2048),
  ]

  /// Thirty shapes with 1,000 schedules each were run by hand: docs/validation.md.
  @Test(arguments: shapes.indices.filter { TestScale.isFull || $0 < 12 })
  func `no random schedule beats the chosen one by more than a twentieth`(index: Int) throws {
    let (m, n, k) = Self.shapes[index]
    let one = GemmCase(m, n, k)
    let machine = try one.machine("edge")
    let chosen = try Self.cycles(one, on: machine, schedule: nil)
    var schedules = RandomGemmSchedules(one, on: machine, seed: Self.seed + UInt64(index))
    var best = (cycles: Int64.max, line: "")
    var found = 0
    let needed = TestScale.isFull ? 60 : 20
    for _ in 0..<1000 * needed where found < needed {
      guard let line = schedules.next() else { continue }
      do throws(NPUError) {
        let cycles = try Self.cycles(one, on: machine, schedule: line, beating: 20 * chosen / 21)
        found += 1
        if cycles < best.cycles { best = (cycles, line) }
      } catch {
        // The chunks that are in use together may need more slots, or gaps more room.
        #expect([.usage, .program].contains(error.category), "\(line): \(error)")
      }
    }
    #expect(found == needed, "\(one): only \(found) schedules are legal")
    #expect(20 * chosen <= 21 * best.cycles, "\(one): \(chosen) cycles, and \(best), \(Self.seed)")
  }

  /// What a schedule takes, or, where the fewest cycles of any order are `limit`, those.
  private static func cycles(
    _ one: GemmCase, on machine: MachineConfiguration, schedule: String?,
    beating limit: Int64 = .max
  ) throws(NPUError) -> Int64 {
    let kernel = try KernelRun.kernel("gemm", one.arguments, on: machine, schedule: schedule)
    let sequence = try kernel.sequence(IndexTensors([:]))
    let least = try sequence.leastCycles()
    if sequence.defects.isEmpty && least > limit { return least }
    guard let cycles = try OrderSearch.glance(sequence) else {
      throw NPUError(.program, "\(schedule ?? "the default") has defects")
    }
    return cycles
  }
}
