import Foundation
import NPUKernels
import NPUSim
import Testing

/// Checkpoints in the names of Hugging Face and of Meta.
@Suite struct CheckpointTests {
  /// The model that comes with the project.
  static let models = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "docs/examples/made-up-42")

  static func folder(_ name: String) -> String {
    models.appending(path: name).path(percentEncoded: false)
  }

  /// A folder with a configuration and tensors of zeros, given up at the end of a test.
  final class Made {
    let url: URL

    init(
      configuration: String?, named file: String = "config.json",
      _ tensors: [(String, [Int], DType)]
    ) throws {
      url = FileManager.default.temporaryDirectory.appending(path: "checkpoint-\(UUID())")
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
      try configuration?.write(
        to: url.appending(path: file), atomically: true, encoding: .utf8)
      var set = TensorSet()
      for (name, shape, dtype) in tensors {
        try set.insert(Tensor(zeros: dtype, shape: shape), named: name)
      }
      try set.write(path("model.safetensors"), force: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String = "") -> String {
      url.appending(path: name).path(percentEncoded: false)
    }

    var error: NPUError? {
      KernelRun.error { () throws(NPUError) in try Checkpoint(path()) }
    }
  }

  static let small = """
    {"model_type": "llama", "hidden_size": 8, "intermediate_size": 6, "num_hidden_layers": 1,
     "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 5, "other": [1, null]}
    """

  /// Its weights, the head among them.
  static func weights(_ dtype: DType = .bf16) -> [(String, [Int], DType)] {
    [
      ("model.embed_tokens.weight", [5, 8], dtype),
      ("model.layers.0.input_layernorm.weight", [8], dtype),
      ("model.layers.0.self_attn.q_proj.weight", [8, 8], dtype),
      ("model.layers.0.self_attn.k_proj.weight", [4, 8], dtype),
      ("model.layers.0.self_attn.v_proj.weight", [4, 8], dtype),
      ("model.layers.0.self_attn.o_proj.weight", [8, 8], dtype),
      ("model.layers.0.post_attention_layernorm.weight", [8], dtype),
      ("model.layers.0.mlp.gate_proj.weight", [6, 8], dtype),
      ("model.layers.0.mlp.up_proj.weight", [6, 8], dtype),
      ("model.layers.0.mlp.down_proj.weight", [8, 6], dtype),
      ("model.norm.weight", [8], dtype), ("lm_head.weight", [5, 8], dtype),
    ]
  }

  @Test func `both names of one model have the same shapes, and the same words but for RoPE`()
    throws
  {
    let ours = try Checkpoint(Self.folder("huggingface"))
    let meta = try Checkpoint(Self.folder("meta"))
    var model = ours.model
    #expect(model.summary.hasPrefix("4 layers, hidden 128, heads 4/2 x 32, ffn 256"))
    #expect(ours.configuration.naming == .huggingFace && meta.configuration.naming == .meta)
    (model.name, model.context) = (meta.model.name, meta.model.context)
    #expect(model == meta.model)
    var alike = 0
    for weight in ModelWeight.all(of: model, isTied: true) {
      let words = try ours.weight(weight)
      #expect(words.dtype == .bf16 && words.shape == weight.shape(in: model))
      if try meta.weight(weight) == words { alike += 1 }
    }
    // The rows of q and k of each layer are in another order.
    #expect(alike == 2 + 4 * 7)
  }

  @Test func `a file of weights stands for its folder`() throws {
    let file = try Checkpoint(Self.folder("huggingface/model.safetensors"))
    #expect(try file.model == Checkpoint(Self.folder("huggingface")).model)
  }

  @Test func `matrices are encoded along their rows, from what the file has`() throws {
    let checkpoint = try Checkpoint(Self.folder("huggingface"))
    let encoded = try checkpoint.encodedWeight(.layer(2, .down))
    #expect(encoded.shape == [128, 256] && encoded.scale.shape == [128, 8] && encoded.axis == 1)
    let floats = try checkpoint.weight(.layer(2, .down)).floats()
    for (row, block) in [(0, 0), (5, 3), (127, 7)] {
      let place = row * 256 + 32 * block
      let (scale, payload) = MXINT8.encodeBlock(Array(floats[place..<place + 32]))
      #expect(encoded.scale.storage[row * 8 + block] == scale.bits)
      #expect(
        encoded.payload.storage[place..<place + 32].map { Int8(bitPattern: $0) } == payload)
    }
  }

  @Test(arguments: [DType.bf16, .f16, .f32])
  func `weights of each float type are read, and become BF16`(dtype: DType) throws {
    let made = try Made(configuration: Self.small, Self.weights(dtype))
    let checkpoint = try Checkpoint(made.path())
    #expect(checkpoint.model.ffn == 6 && checkpoint.model.headDim == 4)
    #expect(try checkpoint.weight(.head).dtype == .bf16)
    #expect(try checkpoint.encodedWeight(.head).scale.shape == [5, 1])
  }

  @Test(arguments: [
    (4096, 1024, 1.3, 14336), (4096, 256, nil, 11008), (128, 256, 0.75, 256),
    (8192, 4096, 1.3, 28672),
  ])
  func `the width of Meta's feed-forward part follows from its factors`(
    hidden: Int, multiple: Int, factor: Double?, width: Int
  ) throws {
    let text =
      "{\"dim\": \(hidden), \"n_layers\": 1, \"n_heads\": 2, \"vocab_size\": -1, "
      + "\"multiple_of\": \(multiple)"
      + (factor.map { ", \"ffn_dim_multiplier\": \($0)" } ?? "") + "}"
    let configuration = try CheckpointConfiguration(
      JSONValue.parse(text, file: "params.json"), naming: .meta, name: "m", vocabulary: 77,
      hasHead: false)
    #expect(configuration.model.ffn == width && configuration.model.vocabulary == 77)
  }

  @Test func `frequencies are rescaled as the configuration says`() throws {
    let scaling =
      ", \"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 32.0, \"low_freq_factor\": 1.0, "
      + "\"high_freq_factor\": 4.0, \"original_max_position_embeddings\": 8192}}"
    let text = Self.small.dropLast(1) + scaling
    let made = try Made(configuration: String(text), Self.weights())
    let expected = try Model.named("llama-3.2-1b").ropeScaling
    #expect(try Checkpoint(made.path()).model.ropeScaling == expected)
  }

  // MARK: What is refused

  @Test func `tensors that are missing, surplus or of another shape are all named`() throws {
    var weights = Self.weights()
    weights.removeFirst()
    weights[2].1 = [8, 4]
    weights[4].2 = .i32
    weights.append(("model.layers.1.mlp.up_proj.weight", [6, 8], .bf16))
    weights.append(("model.layers.0.self_attn.rotary_emb.inv_freq", [2], .f32))
    let error = try Made(configuration: Self.small, weights).error
    #expect(error?.category == .tensor)
    let message = error?.message ?? ""
    for part in [
      "model.embed_tokens.weight is missing, needed [5, 8]",
      "self_attn.k_proj.weight is [8, 4], needed [4, 8]",
      "self_attn.o_proj.weight is I32, needed BF16, F16 or F32",
      "model.layers.1.mlp.up_proj.weight [6, 8] is no weight of a Llama",
    ] { #expect(message.contains(part), "\(message)") }
    #expect(!message.contains("inv_freq"))
  }

  @Test func `what is no checkpoint is refused with what is needed`() throws {
    func error(_ path: String) -> NPUError? {
      KernelRun.error { () throws(NPUError) in try Checkpoint(path) }
    }
    #expect(error("/nonexistent/here")?.category == .io)
    let empty = try Made(configuration: nil, Self.weights())
    #expect(empty.error?.message.contains("there is no config.json and no params.json") == true)
    try FileManager.default.removeItem(atPath: empty.path("model.safetensors"))
    #expect(empty.error?.message.contains("holds no weights") == true)
    let truncated = try Made(configuration: Self.small, Self.weights())
    let file = URL(filePath: truncated.path("model.safetensors"))
    let bytes = try Data(contentsOf: file)
    for count in [0, 7, 9, bytes.count / 2, bytes.count - 1] {
      try bytes.prefix(count).write(to: file)
      #expect(truncated.error?.category == .tensor, "\(count) bytes")
    }
  }

  @Test(arguments: [
    ("\"hidden_size\": 8", "\"hidden_size\": 0", "hidden_size is the number 0"),
    ("\"hidden_size\": 8", "\"hidden_size\": \"8\"", "hidden_size is the string"),
    ("\"hidden_size\": 8,", "", "the key \"hidden_size\" is missing"),
    ("\"model_type\": \"llama\"", "\"model_type\": \"qwen2\"", "model_type is \"qwen2\""),
    ("\"num_key_value_heads\": 1", "\"num_key_value_heads\": 3", "does not divide the 2 heads"),
    ("\"other\"", "\"attention_bias\": true, \"other\"", "a bias is not part of a Llama"),
    ("\"other\"", "\"head_dim\": 3, \"other\"", "needed an even number for RoPE"),
    ("\"num_hidden_layers\": 1", "\"num_hidden_layers\": 5000", "at most 4096 are run"),
    (
      "\"other\"", "\"rope_scaling\": {\"type\": \"yarn\"}, \"other\"",
      "rope_scaling.rope_type is \"yarn\", needed \"llama3\""
    ),
    ("\"other\"", "\"rope_scaling\": {}, \"other\"", "the key \"rope_type\" is missing"),
    ("\"other\"", "\"rope_scaling\": 3, \"other\"", "rope_scaling is the number 3"),
    ("\"other\"", "\"rms_norm_eps\": -1, \"other\"", "rms_norm_eps is the number -1"),
    ("{", "[", "expected"),
  ])
  func `a configuration without sense is refused with its place`(
    old: String, new: String, reason: String
  ) throws {
    let text = Self.small.replacingOccurrences(of: old, with: new)
    #expect(text != Self.small)
    let error = try Made(configuration: text, Self.weights()).error
    #expect(error?.category == .parse && error?.location?.file.hasSuffix("config.json") == true)
    if reason != "expected" {
      #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
    }
  }
}
