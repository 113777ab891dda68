import NPUKernels
import NPUSim
import Testing

/// Built-in schedules that are chosen by timing their programs.
@Suite struct TimedChoiceTests {
  private static let machines = ["edge", "ascend-910b-like", "ascend-950-like"]

  private static let shapes = [
    KernelCase("flash_attention"),
    KernelCase("flash_attention", ["q": "64", "kv": "64"]),
    KernelCase("flash_attention", ["kv-format": "mxint8"]),
    KernelCase("flash_attention", ["q": "100", "kv": "300", "head-dim": "80", "causal": "true"]),
  ]

  private func cycles(_ one: KernelCase, on machine: String, schedule: String?) throws -> Int64? {
    var request = RunRequest(
      kernel: one.kernel, machine: try Presets.named(machine).configuration)
    request.arguments = one.arguments
    request.schedule = schedule
    request.plan = .timing
    return try Runner.run(request).report.timing?.cycles
  }

  /// A twentieth is left for what no chosen few schedules cover.
  @Test(arguments: machines, shapes)
  func `no query tile and no number in flight beats the chosen one by more than a twentieth`(
    machine: String, one: KernelCase
  ) throws {
    let chosen = try #require(try cycles(one, on: machine, schedule: nil))
    var best = Int64.max
    for tile in [8, 16, 24, 32, 48, 64, 96, 128] {
      for stages in [1, 2] {
        do throws(NPUError) {
          let schedule = "tile.q=\(tile),stages=\(stages)"
          let kernel = try one.make(
            on: Presets.named(machine).configuration, schedule: schedule)
          let found = try OrderSearch.glance(kernel.sequence(IndexTensors([:])))
          best = min(best, found ?? .max)
        } catch {
          // It does not fit.
          #expect(error.category == .program)
        }
      }
    }
    #expect(20 * chosen <= 21 * best, "\(machine): \(one): \(chosen), best \(best)")
  }

  /// Words are those of the kv tile; which one is chosen must not hang on latencies.
  @Test(arguments: shapes)
  func `latencies choose no other kv tile`(one: KernelCase) throws {
    let machine = try Presets.named("edge").configuration
    var tiles: Set<Int> = []
    for cycles in [1, 30, 300] {
      var slower = machine
      for path in ["hbm_to_l1", "hbm_to_ub", "l1_to_left", "acc_to_ub"] {
        slower = try slower.applying(set: "paths.\(path).latency=\(cycles)")
      }
      tiles.insert(try #require(one.make(on: slower).scheduleFields["tile.kv"]))
    }
    #expect(tiles.count == 1)
  }
}
