import Foundation
import Testing

@Suite struct HostileInputTests {
  /// 300 inputs when `NPUSIM_FULL` is set, a tenth of them otherwise.
  static let seeds =
    0..<UInt64(ProcessInfo.processInfo.environment["NPUSIM_FULL"] == "1" ? 300 : 30)

  #if os(Linux)
    @Test(arguments: seeds)
    func `no input ends in a trap, in too much memory, or in half a file`(seed: UInt64) throws {
      let folder = try ScratchFolder()
      var inputs = HostileInputs(seed: seed, in: folder)
      let command = try inputs.command()
      let before = Set(folder.names)
      let result = try SimctlProcess.run(
        command.words, in: folder.path, limits: command.limits)
      let line = "seed \(seed): \(command.words.map { $0.prefix(80) }) with \(command.limits)"
      #expect((0...3).contains(result.status), "\(line): \(result.error.suffix(400))")
      let new = Set(folder.names).subtracting(before)
      #expect(new.isSubset(of: ["out.json", "out.safetensors", "out.st"]), "\(line): \(new)")
      if result.status > 1 { #expect(new.isEmpty, "\(line): \(new)") }
    }
  #endif

  @Test(arguments: [
    ".tap x bf16 [1048576, 1048576]\n.buf a ub bf16 [1,16]\nvector.fill a {value=0}\n"
      + "tap x[0 +: 1, 0 +: 16] <- a\n",
    ".input a bf16 [1048576, 1048576]\n.buf b ub bf16 [1,16]\nvector.fill b {value=0}\n",
    ".buf a ub bf16 [1048576, 1048576]\nvector.fill a {value=0}\n",
  ])
  func `memory is refused with what is needed and what there is`(_ text: String) throws {
    let folder = try ScratchFolder()
    let result = try SimctlProcess.run([
      "run", try folder.write(text, "huge.npu"), "--config", "ideal", "--max-memory", "2GB",
    ])
    #expect(result.status == 3)
    #expect(result.error.contains(" bytes of memory, "))
    #expect(result.error.contains("the limit is 2000000000: "))
    #expect(result.output.isEmpty)
  }

  @Test func `a run in the memory of its process is done, one beyond it refused`() throws {
    let limits = "ulimit -v 500000"
    let small = try SimctlProcess.run(
      ["run", "softmax_v", "--kv", "64", "--heads", "1"], limits: limits)
    #expect(small.status == 0)
    let large = try SimctlProcess.run(
      ["run", "softmax_v", "--kv", "131072", "--heads", "32"], limits: limits)
    #expect(large.status == 3)
    #expect(large.error.contains("the limit is "))
  }

  @Test(arguments: ["0", "12XB", "GB", "-1", "1.5GB", "99999999999999999999", "9999999999TB"])
  func `a limit that is no number of bytes is refused`(_ text: String) throws {
    let result = try SimctlProcess.run(["run", "softmax", "--max-memory", text])
    #expect(result.status == 2)
    #expect(result.error.contains("--max-memory: found '\(text)', needed a number of bytes"))
  }
}
