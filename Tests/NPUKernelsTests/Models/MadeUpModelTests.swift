import Foundation
import NPUKernels
import NPUSim
import Testing

/// A whole model against an oracle that shares no code with it: Tests/Golden/generate_made_up_42.py.
@Suite struct MadeUpModelTests {
  /// A run that the oracle evaluated.
  struct Golden: Sendable, CustomTestStringConvertible {
    var folder: String
    var lanes: Int
    var accumulator: AccumulatorMode
    var cache: LlamaOptions.CacheFormat
    var prompt: [Int]
    var tokens: [Int]
    /// The CRC-32 of the words of the logits behind the prompt and each token but the last.
    var logits: [UInt32]

    var testDescription: String {
      "\(folder), \(prompt.count) tokens, \(cache), \(accumulator) accumulators, \(lanes) lanes"
    }

    init(_ json: JSONValue) throws(NPUError) {
      let reader = try JSONObjectReader(
        json,
        keys: [
          "names", "lanes", "accumulator", "cache", "prompt", "steps", "tokens", "logits", "answer",
        ])
      func numbers(_ key: String) throws(NPUError) -> [Int] {
        try reader.array(key).map { value throws(NPUError) in try value.requireInt(key) }
      }
      folder = try reader.string("names") == "meta" ? "meta" : "huggingface"
      lanes = try reader.int("lanes")
      accumulator = try reader.choice("accumulator")
      cache = try reader.choice("cache")
      prompt = try numbers("prompt")
      tokens = try numbers("tokens")
      logits = try reader.array("logits").map { value throws(NPUError) in
        UInt32(try value.requireString("logits"), radix: 16) ?? 0
      }
    }
  }

  static let goldens: [Golden] = {
    let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Golden/made_up_42/cases.json")
    let json = try? JSONValue.parse(
      FileReader.contents(of: path.path(percentEncoded: false)), file: "cases.json")
    return (json?.elements ?? []).compactMap { try? Golden($0) }
  }()

  /// The model of a run with its weights, on the machine of that run.
  ///
  /// - Parameter l1: bytes of it, where it is not the machine's own.
  static func run(
    _ golden: Golden, verification: RunRequest.Verification = .none, paging: LlamaPaging? = nil,
    isUnfused: Bool = false, context: Int = 256, l1: Int? = nil
  ) throws(NPUError) -> LlamaRun {
    let checkpoint = try Checkpoint(CheckpointTests.folder(golden.folder))
    var machine = try Presets.named(golden.lanes == 32 ? "edge" : "ascend-910b-like").configuration
    machine.matrix.accumulator = golden.accumulator
    if let l1 { machine.memories[Space.l1.index].bytes = l1 }
    var options = LlamaOptions()
    options.cache = golden.cache
    options.naming = checkpoint.configuration.naming
    options.paging = paging
    options.isUnfused = isUnfused
    var run = try LlamaRun(
      LlamaRun.Request(
        checkpoint.model, isTied: true, options, on: machine,
        Launcher.Plan(.values, verification: verification), context: context,
        rows: golden.prompt.count))
    try run.load(checkpoint)
    return run
  }

  @Test
  func `the oracle has runs of both names, all caches and accumulators, and its tokens answer`()
    throws
  {
    #expect(Self.goldens.count == 40)
    #expect(Set(Self.goldens.map(\.folder)) == ["huggingface", "meta"])
    #expect(Set(Self.goldens.map(\.cache)) == Set(LlamaOptions.CacheFormat.allCases))
    #expect(Set(Self.goldens.map(\.accumulator)) == Set(AccumulatorMode.allCases))
    #expect(Self.goldens.contains { $0.tokens.count == 64 })
    for golden in Self.goldens where golden.prompt.count == 78 {
      #expect(String(decoding: golden.tokens.map(UInt8.init), as: UTF8.self) == "42.\n")
    }
  }

  @Test(arguments: goldens.indices)
  func `every logit has the word of the oracle, and every token is its`(index: Int) throws {
    let golden = Self.goldens[index]
    guard TestScale.isFull || index % 10 == 0 || golden.tokens.count < 6 && index % 4 == 0 else {
      return
    }
    var run = try Self.run(golden)
    var next = golden.prompt
    for (step, token) in golden.tokens.enumerated() {
      let (_, answer) = try run.run(next)
      let found = try #require(answer)
      #expect(
        CRC32.checksum(found.logits) == golden.logits[step], "\(golden.testDescription), \(step)")
      #expect(found.token == token, "\(golden.testDescription), \(step)")
      next = [token]
    }
  }

  @Test(arguments: goldens.indices)
  func `pages of any size and order have the words of the oracle`(index: Int) throws {
    let golden = Self.goldens[index]
    let isShort = golden.tokens.count < 64 || index % 8 == 0
    guard TestScale.isFull ? isShort : golden.prompt.count == 31 && index % 2 == 0 else { return }
    // A pool larger than the sequence; pages of MXINT8 are whole blocks.
    let page = golden.cache == .mxint8 ? [32, 64, 96][index % 3] : [5, 16, 33][index % 3]
    let context = golden.prompt.count + golden.tokens.count
    let paging = try LlamaPaging(page: page, pages: context / page + 4, seed: UInt64(index))
    var run = try Self.run(golden, paging: paging, context: context)
    var next = golden.prompt
    for (step, token) in golden.tokens.enumerated() {
      let found = try #require(try run.run(next).answer)
      #expect(
        CRC32.checksum(found.logits) == golden.logits[step], "\(golden.testDescription), \(step)")
      next = [token]
    }
  }

  /// Where `l1` does not hold the rows of a prompt, the feed-forward part is three products.
  @Test(arguments: ["bf16", "e4m3fn"])
  func `a prompt beyond l1 has the words of the oracle by three products`(cache: String) throws {
    let golden = try #require(
      Self.goldens.first { $0.prompt.count == 78 && $0.cache.rawValue == cache })
    var run = try Self.run(golden, verification: .full, l1: 1 << 14)
    let (pass, answer) = try run.run(golden.prompt)
    let stages = pass.rows.map(\.stage)
    #expect(stages.contains(.gate) && stages.contains(.up) && stages.contains(.down))
    #expect(!stages.contains(.feedForward) && !stages.contains(.residual))
    #expect(pass.count == 78 && pass.checked == pass.total)
    #expect(CRC32.checksum(try #require(answer).logits) == golden.logits[0])
  }

  @Test func `the names of a checkpoint change no logit where a head is one block`() throws {
    let prompt = Array("the red core loads the ".utf8).map(Int.init)
    var found: [[UInt8]] = []
    for folder in ["huggingface", "meta"] {
      var golden = Self.goldens[0]
      golden.folder = folder
      golden.prompt = prompt
      var run = try Self.run(golden)
      found.append(try #require(try run.run(prompt).answer).logits)
    }
    #expect(found[0] == found[1])
  }

  @Test func `every launch equals its reference, and each program is made once for all layers`()
    throws
  {
    let golden = try #require(Self.goldens.first { $0.prompt.count == 13 })
    var run = try Self.run(golden, verification: .full)
    let (pass, answer) = try run.run(golden.prompt)
    #expect(pass.checked == pass.total && pass.checked > 0)
    #expect(pass.launches == 4 + 4 * (golden.cache == .bf16 ? 11 : 13))
    #expect(run.programCount < 20)
    #expect(answer?.token == golden.tokens[0])
    let sum = pass.rows.reduce(0) { $0 + $1.cycles }
    #expect(sum == pass.cycles && pass.bound <= pass.cycles)
  }

  @Test(arguments: [
    ([], "found no token"), ([128], "token 128 is not in the vocabulary of 128"),
    ([-1], "token -1 is not"), (Array(repeating: 1, count: 14), "do not fit a context"),
  ])
  func `tokens that the model does not have room for are refused`(
    tokens: [Int], reason: String
  ) throws {
    let golden = try #require(Self.goldens.first { $0.prompt.count == 13 })
    var run = try Self.run(golden)
    let error = KernelRun.error { () throws(NPUError) in _ = try run.run(tokens) }
    #expect(error?.category == .usage && error?.message.contains(reason) == true)
  }
}
