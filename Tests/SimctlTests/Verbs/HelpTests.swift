import Foundation
import NPUKernels
import Testing

@Suite struct HelpTests {
  @Test(arguments: ["--help", "-h", "help"])
  func `the overview lists every verb with one line`(_ line: String) throws {
    let result = try SimctlProcess.run(line)
    #expect(result.status == 0)
    #expect(result.error == "")
    for verb in [
      "run", "check", "list", "config", "explain", "numerics", "bench", "completion", "help",
    ] {
      #expect(result.text.contains("\n  \(verb) "), "\(verb)")
    }
    #expect(!result.text.contains("\n  docs "))
  }

  @Test(arguments: [
    "run", "check", "list", "config", "explain", "numerics", "bench", "completion", "help",
  ])
  func `the help of a verb shows examples before flags, however it is asked for`(
    _ verb: String
  ) throws {
    let page = try SimctlProcess.run("\(verb) --help")
    #expect(page.status == 0)
    #expect(page.error == "")
    let usage = try #require(page.text.range(of: "\nUsage:\n"))
    let examples = try #require(page.text.range(of: "\nExamples:\n"))
    #expect(examples.lowerBound < usage.lowerBound)
    for line in ["\(verb) -h", "help \(verb)", "\(verb) --nonsense --help"] {
      #expect(try SimctlProcess.run(line).text == page.text, "\(line)")
    }
  }

  @Test(arguments: Catalog.kernels.map { $0.name })
  func `the help of a kernel lists every field of its schedule`(kernel: String) throws {
    let page = try SimctlProcess.run("run \(kernel) --help").text
    let start = try #require(page.range(of: "\nFields of the schedule (* words depend on it):\n"))
    let rows = page[start.upperBound...].split(separator: "\n", omittingEmptySubsequences: false)
      .prefix { !$0.isEmpty }
    let fields = try Catalog.kernel(named: kernel).scheduleDeclaration
    #expect(rows.count == fields.count + 1)
    for (field, row) in zip(fields, rows) {
      let name = field.name + (field.affectsValues ? " *" : "")
      #expect(row.hasPrefix("  \(name) "))
      for part in [field.legal, field.summary, field.standard, field.condition ?? ""] {
        #expect(part.isEmpty || row.contains(part))
      }
    }
    #expect(rows.last?.hasPrefix("  lanes *") == true)
  }

  @Test func `no line of help is wider than 110 characters`() throws {
    for page in ["cli"] {
      let lines = try SimctlProcess.run("docs \(page)").text.split(separator: "\n")
      let long = lines.filter { $0.count > 110 }
      #expect(long.isEmpty, "\(long)")
    }
  }

  @Test(arguments: ["cli", "isa", "findings"])
  func `docs holds exactly what the command prints`(_ page: String) throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let stored = try String(
      contentsOf: root.appendingPathComponent("docs/\(page).md"), encoding: .utf8)
    let printed = try SimctlProcess.run("docs \(page)").text
    #expect(
      stored == printed, "run: swift run simctl docs \(page) > docs/\(page).md")
  }

  @Test func `the version is one line`() throws {
    let result = try SimctlProcess.run("--version")
    #expect(result.status == 0)
    #expect(result.text.hasPrefix("simctl "))
    #expect(result.text.split(separator: "\n").count == 1)
  }

  @Test func `a reader that leaves early is no error`() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = [
      "-c",
      "{ \(SimctlProcess.binary.path) docs findings; echo $? >&2; } | head -c 1 >/dev/null; true",
    ]
    let pipe = Pipe()
    process.standardError = pipe
    try process.run()
    let error = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(error == "0\n")
  }

  @Test func `standard output that cannot be written is an error`() throws {
    guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
    let process = Process()
    process.executableURL = SimctlProcess.binary
    process.arguments = ["list"]
    process.standardOutput = FileHandle(forWritingAtPath: "/dev/full")
    let pipe = Pipe()
    process.standardError = pipe
    try process.run()
    let error = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 2)
    #expect(error.contains("cannot write to standard output"))
  }
}
