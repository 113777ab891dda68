import NPUSim
import Testing

@Suite struct ConfigVerbTests {
  @Test func `show prints every parameter with provenance and source`() throws {
    let text = try SimctlProcess.run("config show ascend-910b-like").text
    let lines = text.split(separator: "\n")
    for row in try Presets.named("ascend-910b-like").rows {
      let line = try #require(lines.first { $0.hasPrefix("\(row.path) ") })
      #expect(line.contains(row.provenance.kind.rawValue))
      #expect(line.hasSuffix(row.provenance.source))
    }
  }

  @Test func `a shown description can be validated and used`() throws {
    let folder = try ScratchFolder()
    let text = try SimctlProcess.run("config show tiny --json").text
    let path = try folder.write(text, "mine.json")
    let result = try SimctlProcess.run("config validate \(path)")
    #expect(result.status == 0, "\(result.error)")
    #expect(result.text.contains("mine.json: valid"))
    #expect(try SimctlProcess.run("config validate -", input: text).status == 0)
    #expect(
      try SimctlProcess.run("config show \(path)").text
        == SimctlProcess.run("config show tiny").text)
  }

  @Test func `a setting shows with its provenance`() throws {
    let text = try SimctlProcess.run("config show edge --set matrix.accumulator=fp32").text
    let line = try #require(
      text.split(separator: "\n").first { $0.hasPrefix("matrix.accumulator ") })
    #expect(line.contains("fp32"))
    #expect(line.contains("set on the command line"))
  }

  @Test func `an invalid description names file, line and column, and ends with 2`() throws {
    let folder = try ScratchFolder()
    let text = try SimctlProcess.run("config show edge --json").text
      .replacing("\"lanes\"", with: "\"lane\"")
    let path = try folder.write(text, "wrong.json")
    let result = try SimctlProcess.run("config validate \(path)")
    #expect(result.status == 2)
    #expect(result.text == "")
    #expect(result.error.contains("\(path):"))
    #expect(result.error.contains("^^^^^^"))
    #expect(result.error.contains("did you mean \"lanes\"?"))
  }

  @Test func `a description that is no JSON is shown where it breaks`() throws {
    let folder = try ScratchFolder()
    let path = try folder.write("{\n  \"name\": \"x\",\n}\n", "broken.json")
    let result = try SimctlProcess.run("config show \(path)")
    #expect(result.status == 2)
    #expect(result.error.contains("broken.json:"))
    #expect(result.error.contains("^"))
  }
}
