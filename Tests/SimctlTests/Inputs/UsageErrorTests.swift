import Testing

/// A command line that cannot be used, and what has to be said about it.
struct BadLine: CustomTestStringConvertible {
  var line: String
  /// Texts that standard error must hold.
  var says: [String]

  init(_ line: String, _ says: String...) {
    self.line = line
    self.says = says
  }

  var testDescription: String { line }

  /// Runs it; exit code 2, nothing on standard output, and every text on standard error.
  func check() throws {
    let result = try SimctlProcess.run(line)
    #expect(result.status == 2, "\(result.error)")
    #expect(result.text == "")
    #expect(result.error.hasPrefix("error: "))
    for text in says { #expect(result.error.contains(text), "\(result.error)") }
  }
}

@Suite struct UsageErrorTests {
  static let lines = [
    BadLine("lst", "simctl has no verb 'lst'", "did you mean list?"),
    BadLine("frobnicate", "simctl has no verb 'frobnicate'", "the verbs are run"),
    BadLine("--verbose", "simctl has no flag --verbose", "a verb comes first"),
    BadLine("help lst", "simctl has no verb 'lst'"),
    BadLine("list kernel", "there is no list of 'kernel'", "did you mean \"kernels\"?"),
    BadLine("list kernels machines", "simctl list takes nothing that 'machines' could be"),
    BadLine("list --jsn", "simctl list has no flag --jsn", "did you mean --json?"),
    BadLine("list -x", "simctl list has no flag -x", "flags start with two dashes"),
    BadLine("list --json=yes", "--json takes no value, found 'yes'"),
    BadLine("config", "simctl config needs something to do"),
    BadLine("config shw", "simctl config cannot 'shw'", "did you mean \"show\"?"),
    BadLine("config show edg", "there is no machine \"edg\"", "did you mean \"edge\"?"),
    BadLine("config show /nowhere/a.json", "cannot open /nowhere/a.json"),
    BadLine("config show edge --set", "--set needs a value, found nothing"),
    BadLine("config show edge --set --json", "--set needs a value, found '--json'"),
    BadLine("config show edge --set cores", "has no value"),
    BadLine("config show edge --set vector.lane=64", "vector.lane", "did you mean"),
    BadLine("config show edge --set vector.lanes=63", "vector.lanes"),
    BadLine("config validate", "simctl config validate needs a file"),
    BadLine("config list edge", "takes no word", "simctl config show edge"),
    BadLine("config list --json", "--json belongs to 'simctl config show'"),
    BadLine("explain X001", "there is no finding 'X001'"),
    BadLine("numerics", "simctl numerics needs a value"),
    BadLine("numerics one", "'one' is not a number"),
    BadLine("numerics 0x3dcc", "0x3dcc is a word, but of which format?", "--from bf16"),
    BadLine("numerics 0x3dccc --from bf16", "0x3dccc is not a word of bf16, which has 4"),
    BadLine("numerics 0xzz --from e4m3fn", "0xzz is not a word of e4m3fn"),
    BadLine("numerics 0.1 --from bf16", "--from bf16 needs a hexadecimal word, found '0.1'"),
    BadLine("numerics 0.1 --as bf61", "--as does not know the format 'bf61'", "did you mean"),
    BadLine("numerics 0.1 --as bf16 --as f16", "--as is given twice, as 'bf16' and 'f16'"),
    BadLine("numerics 0.1 --as=", "--as needs a value, found an empty one"),
    BadLine("completion", "simctl completion needs a shell"),
    BadLine("completion tcsh", "there are no completions for 'tcsh'"),
  ]

  @Test(arguments: lines)
  func `a command line that cannot be used ends with 2 and says why`(_ line: BadLine) throws {
    try line.check()
  }

  @Test func `no verb at all shows the help on standard error and ends with 2`() throws {
    let result = try SimctlProcess.run("")
    #expect(result.status == 2)
    #expect(result.text == "")
    #expect(result.error.contains("Usage:"))
  }

  @Test func `everything after two dashes is a word`() throws {
    let result = try SimctlProcess.run("list -- --json")
    #expect(result.status == 2)
    #expect(result.error.contains("there is no list of '--json'"))
  }
}
