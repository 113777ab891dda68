import Foundation
import NPUSim
import Testing

/// What a command line writes is written once, and not over what it reads.
@Suite struct FileUsesTests {
  private static let run = ["run", "softmax", "--rows", "2", "--cols", "8", "--force"]

  /// A folder with a dump, links to it, a program, and a folder of tensors.
  private func prepared() throws -> ScratchFolder {
    let folder = try ScratchFolder()
    for name in ["a.safetensors", "tensors"] {
      #expect(try SimctlProcess.run(Self.run + ["--dump", folder(name)]).status == 0)
    }
    _ = try folder.write(VerdictTests.copy, "a.npu")
    _ = try folder.write(
      SimctlProcess.run("config show edge --json").text, "machine.json")
    let files = FileManager.default
    try files.createDirectory(atPath: folder("deep"), withIntermediateDirectories: false)
    try files.createSymbolicLink(atPath: folder("link"), withDestinationPath: "a.safetensors")
    try files.createSymbolicLink(atPath: folder("here"), withDestinationPath: ".")
    try files.linkItem(atPath: folder("a.safetensors"), toPath: folder("hard.safetensors"))
    return folder
  }

  /// Two flags that lead to one file, and what is said of it.
  static let clashes: [(flags: [String], says: String)] = [
    (["--dump", "new", "--json", "new"], "--dump and --json would both write new"),
    (["--dump", "x.safetensors", "--json", "./x.safetensors"], "would both write"),
    (["--dump", "x.safetensors", "--json", "deep/../x.safetensors"], "would both write"),
    (["--dump", "x.safetensors", "--json", "here/x.safetensors"], "would both write"),
    (["--dump", "new/", "--json", "here/new"], "would both write"),
    (["--dump", "a.safetensors", "--json", "link"], "would both write a.safetensors and link"),
    (["--dump", "hard.safetensors", "--json", "a.safetensors"], "would both write"),
    (
      ["--inputs", "a.safetensors", "--dump", "a.safetensors"],
      "--dump would overwrite what --inputs reads: a.safetensors"
    ),
    (
      ["--expect", "link", "--json", "a.safetensors"], "--json would overwrite what --expect reads"
    ),
    (["--inputs", "tensors", "--dump", "tensors"], "--dump would overwrite what --inputs reads"),
    (
      ["--inputs", "tensors", "--json", "tensors/manifest.json"],
      "--json would overwrite what --inputs reads"
    ),
    (["--config", "machine.json", "--json", "machine.json"], "what --config reads"),
  ]

  @Test(arguments: clashes.indices)
  func `two uses of one file are refused however it is spelled, and it stays as it was`(
    _ number: Int
  ) throws {
    let clash = Self.clashes[number]
    let folder = try prepared()
    let names = folder.names
    let before = try folder.read("a.safetensors")
    let result = try SimctlProcess.run(Self.run + clash.flags, in: folder.path)
    #expect(result.status == 2 && result.text == "", "\(result.error)")
    #expect(result.error.contains(clash.says), "\(result.error)")
    #expect(result.error.contains("give the output a name of its own"))
    #expect(folder.names == names)
    #expect(try folder.read("a.safetensors") == before)
  }

  @Test func `a program is not overwritten by its own report`() throws {
    let folder = try prepared()
    for verb in ["run", "check"] {
      let result = try SimctlProcess.run(
        [verb, "a.npu", "--json", "here/a.npu", "--force"], in: folder.path)
      #expect(result.status == 2)
      #expect(result.error.contains("--json would overwrite what the program reads"))
    }
  }

  @Test func `files of their own, and devices, are fine`() throws {
    let folder = try prepared()
    for flags in [
      ["--dump", "x.safetensors", "--json", "deep/x.safetensors"],
      ["--expect", "a.safetensors", "--json", "/dev/null"],
      ["--inputs", "a.safetensors", "--expect", "a.safetensors"],
    ] {
      let result = try SimctlProcess.run(Self.run + flags, in: folder.path)
      #expect(result.status == 0, "\(flags): \(result.error)")
    }
  }

  @Test func `a standard stream is used once`() throws {
    for (line, says) in [
      (
        ["run", "-", "--inputs", "-"],
        "the program and --inputs cannot both come from standard input"
      ),
      (
        Self.run + ["--inputs", "-", "--expect", "-"], "--inputs and --expect cannot both come from"
      ),
      (
        Self.run + ["--dump", "-", "--json", "-"],
        "--dump and --json cannot both go to standard output"
      ),
    ] {
      let result = try SimctlProcess.run(line, input: VerdictTests.copy)
      #expect(result.status == 2 && result.text == "")
      #expect(result.error.contains(says), "\(result.error)")
    }
  }
}
