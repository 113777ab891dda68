import NPUKernels
import NPUSim
import Testing

/// What the host's launch costs stands on a line of its own.
@Suite struct LaunchCostTests {
  private func report(_ cycles: Int64) throws -> RunReport {
    var machine = try Presets.named("edge").configuration
    machine.launchCycles = cycles
    var request = RunRequest(kernel: "softmax_v", machine: machine)
    request.arguments = ["kv": "128"]
    request.plan = .timing
    return try Runner.run(request).report
  }

  @Test func `launching changes no cycle, and is shown beside them where it costs any`() throws {
    let (free, costly) = (try report(0), try report(12_345))
    #expect(free.timing?.cycles == costly.timing?.cycles)
    #expect(free.timing?.throughput.value == costly.timing?.throughput.value)
    #expect(!free.text().contains("\nlaunch ") && free.json()["launch"] == nil)
    #expect(
      costly.text().contains("\nlaunch     12,345 cycles more, from the host and back   12.3 µs\n"))
    #expect(costly.json()["launch"]?["cycles"] == 12_345)
    let saved = try RunReport(reading: costly.json())
    #expect(saved.text() == costly.text())
  }

  @Test func `a pass of a model counts its launches`() throws {
    var machine = try Presets.named("edge").configuration
    machine.launchCycles = 1_000
    var run = try LlamaRun(
      LlamaRun.Request(
        Model.named("tinyllama-1.1b"), isTied: false, LlamaOptions(), on: machine,
        Launcher.Plan(.timing), context: 4, rows: 1))
    let (pass, _) = try run.run([1])
    var report = LlamaReport(
      try Model.named("tinyllama-1.1b"), on: machine, LlamaOptions(), prompt: [])
    report.steps = [pass]
    let cycles = 1_000 * Int64(pass.launches)
    #expect(
      report.text().contains(
        "launch     \(Quantity.grouped(cycles)) cycles more for the \(pass.launches) launches of"))
    #expect(report.json()["decode"]?.elements.first?["launch_cycles"] == .integer(cycles))
    #expect(report.json()["decode"]?.elements.first?["cycles"] == .integer(pass.cycles))
    #expect(report.json()["decode"]?.elements.first?["hbm_bytes"] == .integer(pass.bytes))
  }

  @Test func `no pass uses more of HBM than there is, and one of weights alone nearly all`() throws
  {
    let machine = try Presets.named("edge").configuration
    var run = try LlamaRun(
      LlamaRun.Request(
        Model.named("tinyllama-1.1b"), isTied: false, LlamaOptions(), on: machine,
        Launcher.Plan(.timing), context: 4, rows: 1))
    let (pass, _) = try run.run([1])
    var report = LlamaReport(
      try Model.named("tinyllama-1.1b"), on: machine, LlamaOptions(), prompt: [])
    report.steps = [pass]
    let use = try #require(report.json()["decode"]?.elements.first?["hbm_use"])
      .requireDouble("hbm_use")
    #expect(use <= 1 && use > 0.9)
    #expect(report.text().contains("\nhbm        "))
  }
}
