import NPUKernels
import NPUSim
import Testing

/// What every launch left, by its stage, and what somebody else has in its place.
@Suite struct LlamaDumpTests {
  private static let prompt = Array("say hi".utf8).map(Int.init)

  private static func golden(
    _ format: LlamaOptions.CacheFormat = .bf16
  ) throws -> MadeUpModelTests.Golden {
    var golden = try #require(MadeUpModelTests.goldens.first { $0.cache == format })
    golden.prompt = prompt
    return golden
  }

  /// A prompt of six tokens and two more, with what they left.
  private static func run(
    _ format: LlamaOptions.CacheFormat = .bf16, expecting other: TensorSet? = nil,
    _ closeness: Closeness = .value(), isUnfused: Bool = false
  ) throws -> LlamaRun {
    var run = try MadeUpModelTests.run(golden(format), isUnfused: isUnfused)
    run.isRecording = true
    if let other {
      try run.expect(TensorSource(TensorArchive(other)), closeness, passes: [prompt.count, 1, 1])
    }
    _ = try run.run(prompt)
    for _ in 0..<2 {
      let token = try #require(run.next)
      _ = try run.run([token])
    }
    return run
  }

  @Test func `a dump has every stage by name, with a row for each token`() throws {
    let dump = try Self.run().dump()
    let tokens = Self.prompt.count + 2
    #expect(dump.names.count == 2 + 4 * 11 + 3)
    let shapes: [String: [Int]] = [
      "ids": [tokens], "embeddings": [tokens, 128], "layers.0.attn.norm": [tokens, 128],
      "layers.1.attn.q": [tokens, 4, 32], "layers.3.attn.v": [tokens, 2, 32],
      "layers.0.attn.q_rot": [tokens, 4, 32], "layers.2.attn.k_rot": [tokens, 2, 32],
      "layers.0.attn.heads": [tokens, 128], "layers.0.attn.out": [tokens, 128],
      "layers.0.ffn.norm": [tokens, 128], "layers.0.ffn.swiglu": [tokens, 128],
      "layers.3.out": [tokens, 128], "norm": [3, 128], "logits": [3, 128], "token": [3],
    ]
    for (name, shape) in shapes { #expect(dump[name]?.shape == shape, "\(name)") }
    #expect(
      try dump.tensor(named: "ids").words(as: Int32.self).prefix(6).map(Int.init) == Self.prompt)
    let fp8 = try Self.run(.e4m3fn).dump()
    #expect(fp8["layers.0.attn.cache_k"]?.shape == [tokens, 2, 32])
    #expect(fp8["layers.0.attn.cache_k"]?.dtype == .e4m3fn)
    #expect(fp8["layers.0.attn.cache_v_scale"]?.shape == [tokens, 2, 1])
  }

  @Test func `a stage of the dump is what its kernel makes of the stage before`() throws {
    var run = try MadeUpModelTests.run(Self.golden())
    run.isRecording = true
    _ = try run.run(Self.prompt)
    let dump = try run.dump()
    let checkpoint = try Checkpoint(CheckpointTests.folder("huggingface"))
    let machine = run.request.machine
    func made(
      _ kernel: String, _ flags: String, _ inputs: [(String, Tensor)],
      weight: MXTensor? = nil, out: String = "out"
    ) throws -> [UInt8]? {
      var set = TensorSet()
      for (name, tensor) in inputs { try set.insert(tensor, named: name) }
      if let weight { try set.insert(weight, named: "weight") }
      return try KernelRun.run(kernel, KernelCase.flags(flags), on: machine, inputs: set).dump()[
        out]?.storage
    }
    func stage(_ name: String, _ shape: [Int]) throws -> Tensor {
      try dump.tensor(named: name).reshaped(shape)
    }
    #expect(
      try made(
        "embedding", "tokens=6 vocab=128 hidden=128",
        [("table", checkpoint.weight(.embedding)), ("ids", dump.tensor(named: "ids"))])
        == dump["embeddings"]?.storage)
    #expect(
      try made(
        "rms_norm", "rows=6 cols=128 form=llama",
        [
          ("x", dump.tensor(named: "embeddings")),
          ("weight", checkpoint.weight(.layer(0, .attentionNorm))),
        ]) == dump["layers.0.attn.norm"]?.storage)
    #expect(
      try made(
        "linear", "tokens=6 in=128 out=128", [("x", dump.tensor(named: "layers.0.attn.norm"))],
        weight: checkpoint.encodedWeight(.layer(0, .query))) == dump["layers.0.attn.q"]?.storage)
    #expect(
      try made(
        "rope", "positions=6 heads=4 head-dim=32 table=fp32 layout=half",
        [("x", stage("layers.0.attn.q", [6, 4, 32]))]) == dump["layers.0.attn.q_rot"]?.storage)
    #expect(
      try made(
        "residual_add", "rows=6 cols=128",
        [
          ("x", dump.tensor(named: "layers.0.ffn.swiglu")),
          ("residual", dump.tensor(named: "layers.0.attn.out")),
        ]) == dump["layers.0.out"]?.storage)
    #expect(
      try made(
        "argmax", "rows=1 cols=128", [("x", dump.tensor(named: "logits"))], out: "index")
        == dump["token"]?.storage)
  }

  // MARK: Expectations

  /// A dump with other words at some places.
  private static func changed(
    _ dump: TensorSet, _ places: [(name: String, element: Int)]
  ) throws -> TensorSet {
    var set = TensorSet()
    for name in dump.names {
      var tensor = try #require(dump[name])
      for place in places where place.name == name {
        let byte = place.element * tensor.dtype.byteCount
        tensor.withUnsafeMutableBytes { $0[byte] ^= 1 }
      }
      try set.insert(tensor, named: name)
    }
    return set
  }

  @Test func `a dump equals itself, and one that differs names its first stage in time`() throws {
    let dump = try Self.run().dump()
    let equal = try #require(try Self.run(expecting: dump).comparison())
    #expect(equal.isEqual && equal.first == nil && equal.words > 10_000)
    #expect(equal.tensors == dump.count)
    // One word of a token's row, [7, 3, 17] of [8, 4, 32].
    let one = try #require(
      try Self.run(expecting: Self.changed(dump, [("layers.1.attn.q_rot", (7 * 4 + 3) * 32 + 17)]))
        .comparison())
    #expect(one.beyond == 1 && one.differing == ["layers.1.attn.q_rot"])
    let text = try #require(one.first).text
    #expect(text.hasPrefix("layers.1.attn.q_rot[7, 3, 17]: found 0x"), "\(text)")
    #expect(text.contains("expected 0x") && text.hasSuffix("in the pass from position 7 on"))
    // What is later in the dump, and earlier in time: the last stage of the prompt's pass.
    let two = try #require(
      try Self.run(
        expecting: Self.changed(dump, [("embeddings", 6 * 128), ("logits", 5)])
      ).comparison())
    #expect(two.beyond == 2 && two.first?.stage == "logits" && two.first?.position == 0)
  }

  @Test func `a tolerance accepts what it says, and bits nothing`() throws {
    let dump = try Self.run().dump()
    let other = try Self.changed(dump, [("layers.2.out", 40)])
    let close = try #require(
      try Self.run(expecting: other, .value(absolute: 0, relative: 0, steps: 1)).comparison())
    #expect(close.isEqual && close.close == 1)
    #expect(try #require(try Self.run(expecting: other, .bits).comparison()).beyond == 1)
  }

  @Test func `tensors that cannot be compared are refused before anything runs`() throws {
    let dump = try Self.run().dump()
    func reason(_ change: (TensorSet) throws -> TensorSet) throws -> String {
      var run = try MadeUpModelTests.run(Self.golden())
      let other = try change(dump)
      let error = KernelRun.error { () throws(NPUError) in
        try run.expect(
          TensorSource(TensorArchive(other)), .value(), passes: [Self.prompt.count, 1, 1])
      }
      #expect(error?.category == .tensor && run.programCount == 0)
      return error?.message ?? "none"
    }
    func only(_ name: String, _ tensor: Tensor) throws -> TensorSet {
      var set = TensorSet()
      try set.insert(tensor, named: name)
      return set
    }
    let out = try dump.tensor(named: "layers.0.out")
    #expect(
      try reason { _ in try only("layers.0.out", out.reshaped([128, 8])) }
        .contains("layers.0.out is BF16 [128, 8], this run makes BF16 [8, 128]"))
    #expect(try reason { _ in try only("nothing", out) }.contains("none of"))
    #expect(
      try reason { _ in try only("ids", dump.tensor(named: "ids")) }.contains("only inputs (ids)"))
    #expect(
      KernelRun.error { () throws(NPUError) in
        try MadeUpModelTests.run(MadeUpModelTests.goldens[0]).dump()
      }?.category == .usage)
  }

  // MARK: The walk

  @Test func `the unfused attention of a walk has scores, and probabilities without later keys`()
    throws
  {
    let dump = try Self.run(isUnfused: true).dump()
    #expect(dump["layers.0.attn.scores"]?.shape == [4, 6, 6])
    #expect(dump["layers.3.attn.scores.6"]?.shape == [4, 1, 7])
    let weights = try dump.tensor(named: "layers.0.attn.probabilities")
    #expect(weights.shape == [4, 6, 6] && weights.dtype == .bf16)
    let values = try weights.floats()
    for head in 0..<4 {
      for row in 0..<6 {
        let line = values[(head * 6 + row) * 6..<(head * 6 + row + 1) * 6]
        #expect(line.dropFirst(row + 1).allSatisfy { $0 == 0 })
        #expect(abs(line.reduce(0, +) - 1) < 0.02)
      }
    }
  }

  @Test func `the walk names every tensor of the dump with its shape`() throws {
    let run = try Self.run(isUnfused: true)
    let lines = LlamaWalk.lines(
      run.request.model, run.request.options, tokens: Self.prompt, from: 0, isTied: true)
    let shapes = Dictionary(lines.map { ($0.name, $0.shape) }) { first, _ in first }
    var prefill = try MadeUpModelTests.run(Self.golden(), isUnfused: true)
    prefill.isRecording = true
    _ = try prefill.run(Self.prompt)
    let dump = try prefill.dump()
    for name in dump.names where !name.hasPrefix("layers.") || name.hasPrefix("layers.0.") {
      #expect(shapes[name] == "\(try dump.tensor(named: name).shape)", "\(name)")
    }
  }

  @Test func `the walk of llama-3-8b has the shapes that everybody knows`() throws {
    let model = try Model.named("llama-3-8b")
    let lines = LlamaWalk.lines(
      model, LlamaOptions(), tokens: Array(repeating: 1, count: 17), from: 0, isTied: false)
    let text = lines.map { "\($0.name) \($0.shape) \($0.note)" }.joined(separator: "\n")
    for part in [
      "embeddings [17, 4096]", "q_proj.weight [4096, 4096] as [32, 128, 4096]",
      "k_proj.weight [1024, 4096] as [8, 128, 4096]", "q of a head [17, 128] pairs [17, 64, 2]",
      "frequencies [64]", "cos, sin [17, 64]", "[17, 17] a head; head h reads kv head h / 4",
      "scores / √128", "mask [17, 17]", "attention of a head [17, 128]",
      "layers.0.attn.heads [17, 4096]", "gate, up [17, 14336]",
      "down_proj.weight [4096, 14336]", "32 layers [17, 4096]",
      "logits [1, 128256] lm_head.weight",
    ] { #expect(text.contains(part), "\(part)") }
  }
}
