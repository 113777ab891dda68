import Testing

@Suite struct ReportVerbTests {
  @Test(arguments: ["run softmax_v --kv 40 --heads 2 --head-dim 32", "check gemm --lint"])
  func `the page of a saved run is the one that it printed`(line: String) throws {
    let folder = try ScratchFolder()
    let path = folder("run.json")
    let live = try SimctlProcess.run(line)
    #expect(try SimctlProcess.run("\(line) --json \(path)").status == live.status)
    let saved = try SimctlProcess.run("report \(path)")
    #expect(saved.output == live.output && saved.status == live.status && saved.error == "")
    let piped = try SimctlProcess.run(
      "report -", input: String(decoding: try folder.read("run.json"), as: UTF8.self))
    #expect(piped.output == live.output)
  }

  @Test func `findings keep the exit code`() throws {
    let folder = try ScratchFolder()
    let text = try folder.write(
      ".hbm x bf16 [1, 32] input\n.ub a bf16 [1, 32]\nvector.exp2 a <- a\n", "a.npu")
    let live = try SimctlProcess.run("check \(text) --json \(folder("a.json"))")
    let saved = try SimctlProcess.run("report \(folder("a.json"))")
    #expect(saved.status == live.status && saved.output == live.output)
  }

  @Test func `a file that holds no run is shown with its place`() throws {
    let folder = try ScratchFolder()
    let path = try folder.write("{\n  \"schema\": \"npusim.sweep.v1\"\n}\n", "x.json")
    let result = try SimctlProcess.run("report \(path)")
    #expect(result.status == 2 && result.output.isEmpty)
    #expect(result.error.contains("x.json:2:13"))
    #expect(result.error.contains("found schema \"npusim.sweep.v1\", needed \"npusim.run.v2\""))
    #expect(try SimctlProcess.run("report").error.contains("simctl report needs a saved run"))
    #expect(try SimctlProcess.run("report \(folder("none.json"))").status == 2)
    let half = try folder.write("{", "half.json")
    #expect(try SimctlProcess.run("report \(half)").status == 2)
  }
}
