import NPUSim

/// Picks the fastest of some schedules by timing the programs that they make.
enum TimedChoice {
  /// Schedules that are timed at most.
  static let mostTimed = 10
  /// Micro-ops of the programs that are timed, beyond those of the first two.
  static let mostMicroOps = 1 << 15

  /// The first of the fastest; the first of all where none makes a program that can be timed.
  static func fastest<Plan>(
    of plans: [Plan], _ program: (Plan) throws(NPUError) -> Program
  ) -> Plan? {
    guard plans.count > 1 else { return plans.first }
    var best: (cycles: Int64, plan: Plan)?
    var microOps = 0
    for (number, plan) in plans.prefix(mostTimed).enumerated() {
      if number > 1 && microOps > mostMicroOps { break }
      do throws(NPUError) {
        let program = try program(plan)
        microOps += program.opCount
        guard program.defects.isEmpty else { continue }
        let cycles = try TimingEngine.run(program).cycles
        if cycles < best?.cycles ?? .max { best = (cycles, plan) }
      } catch {
        // A schedule without a program is not the fastest.
        continue
      }
    }
    return best?.plan ?? plans.first
  }
}
