import Foundation
import Testing

/// import, and records in the place of texts.
@Suite struct ImportVerbTests {
  private static let examples = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "docs/examples/import")

  private let record = """
    npusim record 1
    hbm x input 0x1000 4096
    hbm y output 0x2000 4096
    buffer t ub 0 2048 2
    op load DataCopy write t:0:2048 read x:0:2048 @ add.cpp:10
    op store DataCopy write y:0:2048 read ub:0:2048 cycles 20 @ add.cpp:12

    """

  @Test func `a record is checked at the lines of its source, and printed with them`() throws {
    let folder = try ScratchFolder()
    let file = try folder.write(record, "k.rec")
    let checked = try SimctlProcess.run(["check", file])
    #expect(checked.status == 1, "\(checked.error)")
    #expect(checked.text.contains("at add.cpp:10:1"))
    #expect(checked.text.contains("fix: set an event load->store after line 10"))
    #expect(checked.text.contains("     | generated: op load DataCopy t[0] <- x"))
    let imported = try SimctlProcess.run(["import", file])
    #expect(imported.status == 0 && imported.text.contains("@ add.cpp:10\n"))
    #expect(try SimctlProcess.run(["import", "-"], input: record).text == imported.text)
    let again = try SimctlProcess.run(["check", try folder.write(imported.text, "k.npu")])
    #expect(again.text.contains("fix: set an event load->store after line 10"))
    #expect(try SimctlProcess.run(["fmt", file]).status == 2)
    // So does what is expanded; a line without a place has none, and is shown as it is.
    let plain = try folder.write(imported.text + "barrier store\n", "p.npu")
    let expanded = try SimctlProcess.run(["asm", plain, "--expand"])
    #expect(expanded.text == imported.text + "barrier store\n", "\(expanded.text)")
  }

  @Test func `a record is timed without values, and refused with them`() throws {
    let folder = try ScratchFolder()
    let good = record.replacing(
      "op store", with: "set load->store:0\nwait load->store:0\nop store"
    ).replacing("0:2048 read", with: "0:4096 read").replacing(
      "read x:0:2048", with: "read x:0:4096"
    ).replacing("read ub:0:2048", with: "read ub:0:4096")
    let file = try folder.write(good, "k.rec")
    let timed = try SimctlProcess.run(["run", file, "--no-values"])
    #expect(timed.status == 0 && timed.text.contains("cycles "), "\(timed.text)")
    let run = try SimctlProcess.run(["run", file])
    #expect(run.status == 2 && run.text.isEmpty)
    #expect(run.error.contains("op load.DataCopy has no values"))
    #expect(run.error.contains("--> add.cpp:10:1") && run.error.contains("--no-values"))
  }

  @Test func `what is wrong with a record has its line and a caret`() throws {
    let folder = try ScratchFolder()
    let file = try folder.write(record + "op vectr Add\n", "k.rec")
    for verb in ["check", "import", "run", "asm"] {
      let result = try SimctlProcess.run([verb, file])
      #expect(result.status == 2 && result.error.contains("k.rec:7:4"), "\(verb)")
      #expect(result.error.contains("^^^^^") && result.error.contains("vector"), "\(verb)")
    }
    #expect(try SimctlProcess.run(["import"]).status == 2)
  }

  @Test func `the records of the examples give the verdicts that their names say`() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.examples.path)
      .filter { $0.hasSuffix(".rec") }
    #expect(names.count >= 3)
    for name in names {
      let path = Self.examples.appending(path: name).path
      let checked = try SimctlProcess.run(["check", path, "--config", "ascend-910b-like"])
      #expect(checked.status == (name.contains("race") ? 1 : 0), "\(name): \(checked.text)")
    }
  }
}
