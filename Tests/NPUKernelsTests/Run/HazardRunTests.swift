import Foundation
import NPUKernels
import NPUSim
import Testing

/// Runs of programs that are not proved.
@Suite struct HazardRunTests {
  private static func text(_ name: String) throws -> String {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Cases")
    return try String(contentsOf: folder.appending(path: "\(name).npu"), encoding: .utf8)
  }

  @Test func `hazards-two-cores: racing cores give one dump for a seed, run after run`() throws {
    var machine = try Presets.named("edge").configuration
    machine.cores = 2
    let text = try TextProgram.parse(
      TextSource(file: "t.npu", text: try Self.text("hazards-two-cores"))
    ).get()
    let assembly = try text.assemble(machine: machine, catalogue: .standard).get()
    var request = RunRequest(kernel: "t.npu", machine: machine)
    request.allowHazards = true
    var dumps: Set<[[UInt8]?]> = []
    for _ in 0..<20 {
      let outcome = try Runner.run(request, text: TextKernel(assembly))
      #expect(!outcome.report.isClean)
      let dump = try outcome.dump()
      dumps.insert(dump.names.map { dump[$0]?.storage })
    }
    #expect(dumps.count == 1)
  }
}
