import Foundation
import Testing

/// check over many values: exit codes, the page and the JSON say the same.
@Suite struct ManyValuesTests {
  private static let text = """
    .param n = 1
    .param d = 1
    .input x bf16 [64, 64]
    .output y bf16 [64, 64]
    .buf a ub bf16 [64, 64]
    .let rows = 16 / d
    .loop i 0..<n
      load.ub a[i * 16 +: rows, :] <- x[i * 16 +: rows, :]
      set load->store:i
      wait load->store:i
      store.hbm y[i * 16 +: rows, :] <- a[i * 16 +: rows, :]
    .end

    """

  private struct Report: Decodable {
    var schema: String
    var verdict: String
    var values: [String: [Int]]
    var tried: Int
    var clean: Int
    var failing: [[String: Int]]
    var refused: [[String: Int]]
    var unfinished: [[String: Int]]
    var first: First?

    struct First: Decodable {
      var values: [String: Int]
      var errors: [Fault]?
      var report: Page?
    }
    struct Fault: Decodable {
      var message: String
      var line: Int?
    }
    struct Page: Decodable {
      var verdict: String
      var parameters: [String: Int]
    }
  }

  @Test(arguments: [
    ("n=4", "d=1,2", 1), ("n=4,4..4", "d=1", 2), ("n=4..5", "d=1", 1), ("n=4", "d=0..1", 1),
    ("n=0,4", "d=1,2", 1), ("n=1,2000000000", "d=1", 1), ("n=-3..0", "d=1", 2),
    ("n=0,2000000000", "d=1", 3),
  ])
  func `page, JSON and exit code say the same`(n: String, d: String, code: Int32) throws {
    let folder = try ScratchFolder()
    let file = try folder.write(Self.text, "t.npu")
    let page = try SimctlProcess.run(["check", file, "--param", n, "--param", d])
    #expect(page.status == code, "\(page.text)\(page.error)")
    guard code != 2 else {
      #expect(page.text.isEmpty && page.error.hasPrefix("error: "))
      return
    }
    let result = try SimctlProcess.run([
      "check", file, "--param", n, "--param", d, "--json", "-",
    ])
    #expect(result.status == code)
    let report = try JSONDecoder().decode(Report.self, from: Data(result.output))
    #expect(report.schema == "npusim.sweep.v1")
    #expect(report.verdict == (code == 3 ? "incomplete" : code == 0 ? "clean" : "findings"))
    #expect(report.tried == (report.values["n"]?.count ?? 0) * (report.values["d"]?.count ?? 0))
    let counted = report.failing.count + report.refused.count + report.unfinished.count
    #expect(report.clean + counted == report.tried)
    #expect(report.first?.values == report.failing.first)
    #expect((report.first == nil) == (code != 1))
    #expect(page.text.contains("tried      \(report.tried) values: "))
    if let first = report.first {
      let words = "n=\(first.values["n"] ?? -1) d=\(first.values["d"] ?? -1)"
      #expect(page.text.contains("with \(words), the first that fails"))
      #expect((first.errors == nil) != (first.report == nil))
      if let inner = first.report { #expect(inner.verdict == "findings") }
      if let error = first.errors?.first { #expect(page.text.contains(error.message)) }
    }
  }

  @Test func `a clean sweep ends with 0 and says how many were tried`() throws {
    let folder = try ScratchFolder()
    let whole = Self.text.replacingOccurrences(of: ".output", with: ".update")
    let file = try folder.write(whole, "t.npu")
    let result = try SimctlProcess.run(["check", file, "--param", "n=0..4", "--param", "d=1..16"])
    #expect(result.status == 0, "\(result.text)")
    #expect(result.text.contains("tried      80 values: 64 clean, 16 without a program"))
    #expect(result.text.contains("verdict    clean\n"))
    // A long path is on a line of its own.
    let words = result.text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(words.contains("refused n=0 d=1: \(file) is empty"))
  }

  @Test func `several values are for check alone, and for one program at a time`() throws {
    let folder = try ScratchFolder()
    let file = try folder.write(Self.text, "t.npu")
    for verb in ["run", "asm"] {
      let result = try SimctlProcess.run([verb, file, "--param", "n=1..2"])
      #expect(result.status == 2)
      #expect(result.error.contains("--param n takes one value here, found '1..2'"))
    }
    let lines = [
      "check \(file) --param n=1..2 --minimise": "--minimise looks at one program",
      "check \(file) --param n=1..2 --inputs x.npy": "--inputs has the tensors of one shape",
      "check \(file) --param n=1..2 --param n=3": "--param n is given twice",
      "check gemm --shapes m": "--shapes needs a name and a value, found 'm'",
      "check gemm --shapes m=1..2 --param n=1": "has no flag --param",
      "check \(file) --shapes n=1..2": "has no flag --shapes",
      "run gemm --shapes m=1..2": "has no flag --shapes",
    ]
    for (line, message) in lines {
      let result = try SimctlProcess.run(line)
      #expect(result.status == 2 && result.error.contains(message), "\(line): \(result.error)")
    }
    #expect(try SimctlProcess.run(["check", file, "--param", "n=1..2", "--help"]).status == 0)
  }

  @Test func `shapes of a kernel combine`() throws {
    let result = try SimctlProcess.run("check softmax --shapes rows=0..2 --shapes cols=31..33")
    #expect(result.status == 0, "\(result.text)\(result.error)")
    #expect(result.text.contains("values     rows=0..2 × cols=31..33"))
    #expect(result.text.contains("tried      9 values: 6 clean, 3 without a program"))
    #expect(result.text.contains("refused    rows=0 cols=31: --rows needs at least 1, found 0"))
  }
}
