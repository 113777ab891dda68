import Foundation
import NPUSim
import Testing

/// `simctl llama` as a user runs it: files in and out, and what it refuses.
@Suite struct LlamaVerbTests {
  private static let models = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "docs/examples/made-up-42").path(percentEncoded: false)

  private static func run(_ flags: String, model: String = "huggingface") throws
    -> SimctlProcess.Result
  {
    try SimctlProcess.run("llama --weights \(models)/\(model) \(flags)")
  }

  private static func json(_ result: SimctlProcess.Result) throws -> JSONValue {
    try JSONValue.parse(result.output, file: "out")
  }

  private static func tokens(_ json: JSONValue) throws -> [Int] {
    try (json["tokens"]?.elements ?? []).map { try $0.requireInt("tokens") }
  }

  @Test func `caches carry a run from one invocation to the next, whatever their pages`() throws {
    let scratch = try ScratchFolder()
    let prompt = "--tokens 0,115,97,121,32,104,105,58,32"
    let whole = try Self.json(Self.run("\(prompt) --steps 6 --json -"))
    let file = scratch("cache.safetensors")
    let first = try Self.run("\(prompt) --steps 2 --page 4 --pages 9 --cache-out \(file) --json -")
    #expect(first.status == 0, "\(first.error)")
    let folder = scratch("cache")
    let second = try Self.run("--cache-in \(file) --steps 1 --cache-out \(folder) --json -")
    #expect(second.status == 0, "\(second.error)")
    // A text goes on, and does not start again.
    let third = try Self.json(Self.run("--cache-in \(folder) --steps 3 --json -"))
    let parts = try [Self.json(first), Self.json(second), third]
    #expect(try parts.flatMap { try Self.tokens($0) } == Self.tokens(whole))
    #expect(parts[2]["cached_tokens"] == .integer(11) && parts[2]["prefill"] == .null)
  }

  @Test func `a dump is compared with another run, and the exit code says whether it is equal`()
    throws
  {
    let scratch = try ScratchFolder()
    let file = scratch("dump.safetensors")
    #expect(try Self.run("--tokens 0,72 --dump \(file)").status == 0)
    let same = try Self.run("--tokens 0,72 --expect \(file) --page 3")
    #expect(same.status == 0 && same.text.contains("expected   equal; "), "\(same.text)")
    let other = try Self.run("--tokens 0,73 --expect \(file) --json -")
    #expect(other.status == 1)
    let json = try Self.json(other)
    #expect(json["verdict"] == .string("findings"))
    #expect(json["expectation"]?["first"]?["stage"] == .string("ids"))
    let names = try Self.run("--tokens 0,72 --expect \(file)", model: "meta")
    #expect(names.status == 1)
    #expect(
      names.text.contains("verdict    layers.0.attn.q is the first stage that differs"),
      "\(names.text)")
    #expect(names.text.contains("first layers.0.attn.q["))
    #expect(try Self.run("--tokens 0,72 --dump \(file)").status == 2)
  }

  @Test func `a walk prints each step with its shape`() throws {
    let page = try SimctlProcess.run(
      "llama --model llama-3-8b --no-values --walk --tokens 128000,1820,4320")
    #expect(page.status == 0, "\(page.error)")
    #expect(page.text.contains("\nwalk\nids"))
    #expect(page.text.contains("layers.0.attn.scores         [32, 3, 3]"), "\(page.text)")
  }

  @Test(arguments: [
    ("--tokens 0 --walk --kv-format e5m2", "--walk with --kv-format e5m2"),
    ("--tokens 0 --walk --page 4", "--walk with --page"),
    ("--tokens 0 --pages 4", "--pages means nothing without --page"),
    ("--tokens 0,1,2,3 --page 2 --pages 2", "2 pages of 2 tokens hold 4 tokens, needed 5"),
    ("--tokens 0 --page 0", "--page needs at least 1"),
    ("--tokens 0 --page 4 --pages 99999999999", "--pages needs at most"),
    ("--tokens 0 --page 33 --kv-format mxint8", "needed a multiple of 32"),
    ("--no-values --cache-out /tmp/x", "--cache-out needs values"),
    ("--no-values --tokens 0 --dump /tmp/x", "--dump needs values"),
    ("--tokens 0 --ulp 1", "--ulp means nothing without --expect"),
    ("--cache-in /nonexistent.safetensors", "/nonexistent.safetensors"),
    ("--tokens 0 --cache-out a.safetensors --dump a.safetensors", "would both write"),
    ("--steps 2", "needs a prompt"),
    ("--tokens 0 --seed 3", "--seed means nothing with --weights"),
    ("--tokens 0 --steps 9223372036854775807", "--steps needs at most 16777216"),
    ("--no-values --context 9223372036854775807", "--context needs at most 16777216"),
    ("--no-values --prompt-length 9223372036854775807", "--prompt-length needs at most 256"),
    ("--no-values --prompt-length 257", "--prompt-length needs at most 256, the context of"),
  ])
  func `what makes no sense together is refused with a sentence`(
    flags: String, reason: String
  ) throws {
    let result = try Self.run(flags)
    #expect(result.status == 2 && result.output.isEmpty, "\(result.status) \(result.text)")
    #expect(result.error.hasPrefix("error: ") && result.error.contains(reason), "\(result.error)")
  }

  @Test func `positions beyond the model's context are noted, and the machine is told in full`()
    throws
  {
    let result = try Self.run(
      "--no-values --context 300 --json - --set launch.cycles=50 --set matrix.kind=systolic")
    let report = try JSONValue.parse(result.output, file: "llama.json")
    #expect(report["machine"]?["config"]?["matrix"]?["kind"] == "systolic")
    #expect(report["machine"]?["config"]?["launch"]?["cycles"] == 50)
    #expect(report["machine"]?["name"] == "edge")
    let page = try Self.run("--no-values --context 300")
    #expect(page.text.contains("301 positions, and huggingface was made for a context of 256"))
    #expect(try !Self.run("--no-values --context 255").text.contains("note "))
  }

  // MARK: Hostile checkpoints

  /// A copy of the model with another configuration or other tensors.
  private static func copied(
    _ scratch: ScratchFolder, _ change: (inout [UInt8], inout String) -> Void
  ) throws -> SimctlProcess.Result {
    let folder = "\(models)/huggingface"
    var tensors = [UInt8](try Data(contentsOf: URL(filePath: "\(folder)/model.safetensors")))
    var configuration = try String(contentsOfFile: "\(folder)/config.json", encoding: .utf8)
    change(&tensors, &configuration)
    _ = try scratch.write(tensors, "model.safetensors")
    _ = try scratch.write(configuration, "config.json")
    return try SimctlProcess.run("llama --weights \(scratch.path) --tokens 0,72 --steps 1")
  }

  @Test(arguments: [
    ("truncated", "model.safetensors"), ("empty", "model.safetensors"),
    ("huge header", "model.safetensors"), ("another width", "does not go with its configuration"),
    ("another layer", "layers.4.input_layernorm.weight is missing"),
    ("no JSON", "config.json"), ("another kind", "model_type is \"gpt2\""),
    ("huge extents", "it must be an integer from 1 to 16777216"),
    ("window", "sliding_window is the number 4: attention over a window"),
    ("NaN", "down_proj.weight has 1 element that is NaN or infinite"),
  ])
  func `a hostile checkpoint ends with a sentence`(slip: String, reason: String) throws {
    let result = try Self.copied(try ScratchFolder()) { tensors, configuration in
      func replace(_ old: String, _ new: String) {
        let pattern = "\"\(old)\": *[^,\n}]+"
        configuration = configuration.replacingOccurrences(
          of: pattern, with: "\"\(old)\": \(new)", options: .regularExpression)
      }
      switch slip {
      case "truncated": tensors.removeLast(tensors.count / 3)
      case "empty": tensors = []
      case "huge header":
        tensors.replaceSubrange(0..<8, with: [255, 255, 255, 255, 255, 255, 255, 127])
      // The last element of the last tensor.
      case "NaN": tensors.replaceSubrange(tensors.count - 2..<tensors.count, with: [0xC0, 0x7F])
      case "another width": replace("intermediate_size", "320")
      case "another layer": replace("num_hidden_layers", "5")
      case "no JSON": configuration = "{\"hidden_size\": 128,"
      case "another kind": replace("model_type", "\"gpt2\"")
      case "window":
        configuration.replace("{", with: "{\"sliding_window\": 4,", maxReplacements: 1)
      default: replace("vocab_size", "9223372036854775807")
      }
    }
    #expect(result.status == 2 && result.output.isEmpty, "\(slip): \(result.status)")
    #expect(
      result.error.hasPrefix("error: ") && result.error.contains(reason), "\(slip): \(result.error)"
    )
  }

  @Test func `a pipe, a folder and shards in the place of the weights are named`() throws {
    func run(_ prepare: (ScratchFolder) throws -> Void) throws -> SimctlProcess.Result {
      let scratch = try ScratchFolder()
      try prepare(scratch)
      return try SimctlProcess.run("llama --weights \(scratch.path) --tokens 0")
    }
    let pipe = try run { mkfifo($0("model.safetensors"), 0o600) }
    #expect(pipe.status == 2 && pipe.error.contains("model.safetensors is not a regular file"))
    let folder = try run {
      try FileManager.default.createDirectory(
        atPath: $0("model.safetensors"), withIntermediateDirectories: false)
    }
    #expect(folder.status == 2 && folder.error.contains("model.safetensors is a folder"))
    let shards = try run { _ = try $0.write("{}", "model.safetensors.index.json") }
    #expect(shards.status == 2 && shards.error.contains("it is in shards, which are not read"))
  }
}
