import Foundation
import Testing

@Suite struct CompletionTests {
  /// What bash offers after a line, through the script itself.
  private func offers(_ words: [String]) throws -> Set<String> {
    let script = try SimctlProcess.run("completion bash").text
    let list = words.map { "'\($0)'" }.joined(separator: " ")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.currentDirectoryURL = FileManager.default.temporaryDirectory
    process.arguments = [
      "-c",
      """
      \(script)
      COMP_WORDS=(simctl \(list)); COMP_CWORD=\(words.count)
      _simctl
      printf '%s\\n' "${COMPREPLY[@]}"
      """,
    ]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return Set(text.split(separator: "\n").map(String.init))
  }

  @Test func `bash completes verbs, words, flags and values`() throws {
    #expect(try offers(["nu"]) == ["numerics"])
    #expect(try offers(["list", "m"]).isSuperset(of: ["machines", "models"]))
    #expect(try offers(["list", "--j"]) == ["--json"])
    let fields: Set = ["tile.m=", "tile.n=", "tile.k="]
    #expect(try offers(["run", "gemm", "--schedule", "til"]) == fields)
    #expect(try offers(["numerics", "0x3dcc", "--from", "e"]) == ["e4m3fn", "e5m2", "e8m0"])
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func `a script is accepted by its shell, where that is installed`(_ shell: String) throws {
    let folder = try ScratchFolder()
    let path = try folder.write(try SimctlProcess.run("completion \(shell)").text, "script")
    guard
      let binary = ["/bin", "/usr/bin", "/usr/local/bin"].map({ "\($0)/\(shell)" })
        .first(where: FileManager.default.isExecutableFile)
    else { return }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: binary)
    process.arguments = ["-n", path]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }
}
