import NPUSim

/// What the configuration of a checkpoint says: config.json of Hugging Face, or params.json of Meta.
public struct CheckpointConfiguration: Sendable, Hashable {
  public var model: Model
  /// Whose names the weights have; with it go the pairs of columns that RoPE rotates (i and i + d/2 of
  /// Hugging Face, 2i and 2i + 1 of Meta).
  public var naming: ModelWeight.Naming
  /// Whether the head is the embedding.
  public var isTied: Bool

  /// The largest extent that is believed, far above any model's.
  private static let largest = 1 << 24

  /// Reads the configuration.
  ///
  /// - Parameters:
  ///   - name: what reports call the model.
  ///   - vocabulary: the rows of the embedding, which Llama 2's params.json leaves open (−1).
  ///   - hasHead: whether there is a head in Meta's names, whose configuration does not say.
  /// - Throws: `.parse` for a key that is missing or has no sense, and for a model that is not a Llama,
  ///   with its place.
  public init(
    _ json: JSONValue, naming: ModelWeight.Naming, name: String, vocabulary: Int?,
    hasHead: Bool
  ) throws(NPUError) {
    let reader = Reader(json: json)
    self.naming = naming
    switch naming {
    case .huggingFace:
      (model, isTied) = try Self.huggingFace(reader, name)
    case .meta:
      model = try Self.meta(reader, name, vocabulary: vocabulary)
      isTied = !hasHead
    }
    try check(reader)
  }

  /// Keys of a document of which others are passed over.
  private struct Reader {
    let json: JSONValue

    /// `nil` where a key is missing or null.
    func value(_ key: String) -> JSONValue? {
      guard let value = json[key] else { return nil }
      if case .null = value.content { return nil }
      return value
    }

    func extent(_ key: String, otherwise standard: Int? = nil) throws(NPUError) -> Int {
      guard let value = value(key) else {
        guard let standard else { throw missing(key) }
        return standard
      }
      return try value.requireInt(key, in: 1...CheckpointConfiguration.largest)
    }

    func real(
      _ key: String, in range: ClosedRange<Double>, otherwise standard: Double? = nil
    ) throws(NPUError) -> Double {
      guard let value = value(key) else {
        guard let standard else { throw missing(key) }
        return standard
      }
      return try value.requireDouble(key, in: range)
    }

    func flag(_ key: String) throws(NPUError) -> Bool {
      try value(key)?.requireBool(key) ?? false
    }

    func missing(_ key: String) -> NPUError {
      NPUError(.parse, "the key \"\(key)\" is missing", at: json.location)
    }
  }

  private static func huggingFace(
    _ reader: Reader, _ name: String
  ) throws(NPUError) -> (Model, Bool) {
    for (key, needed) in [("model_type", "llama"), ("hidden_act", "silu")] {
      guard let value = reader.value(key) else { continue }
      let found = try value.requireString(key)
      guard found == needed else {
        throw NPUError(
          .parse, "\(key) is \(JSONWriter.quoted(found)), needed \"\(needed)\"",
          at: value.location, hint: "only models of the form of a Llama are run")
      }
    }
    for key in ["attention_bias", "mlp_bias"] where try reader.flag(key) {
      throw NPUError(
        .parse, "\(key) is true: a bias is not part of a Llama", at: reader.value(key)?.location)
    }
    if let window = reader.value("sliding_window"), window != .null {
      throw NPUError(
        .parse,
        "sliding_window is \(window.summary): attention over a window is not part of a Llama",
        at: window.location)
    }
    let heads = try reader.extent("num_attention_heads")
    let hidden = try reader.extent("hidden_size")
    let model = Model(
      name: name, hidden: hidden, layers: try reader.extent("num_hidden_layers"), heads: heads,
      kvHeads: try reader.extent("num_key_value_heads", otherwise: heads),
      headDim: try reader.extent("head_dim", otherwise: max(1, hidden / heads)),
      ffn: try reader.extent("intermediate_size"), vocabulary: try reader.extent("vocab_size"),
      ropeTheta: try reader.real("rope_theta", in: 1...0x1p40, otherwise: 10000),
      ropeScaling: try reader.value("rope_scaling").flatMap { value throws(NPUError) in
        try scaling(value)
      },
      rmsEpsilon: try reader.real("rms_norm_eps", in: 0...1, otherwise: 1e-6),
      context: try reader.extent("max_position_embeddings", otherwise: 2048))
    return (model, try reader.flag("tie_word_embeddings"))
  }

  /// `nil` for the kind that rescales nothing.
  private static func scaling(_ json: JSONValue) throws(NPUError) -> Model.RopeScaling? {
    _ = try json.requireMembers("rope_scaling")
    let reader = Reader(json: json)
    guard let kind = reader.value("rope_type") ?? reader.value("type") else {
      throw reader.missing("rope_type")
    }
    let name = try kind.requireString("rope_scaling.rope_type")
    if name == "default" { return nil }
    guard name == "llama3" else {
      throw NPUError(
        .parse, "rope_scaling.rope_type is \(JSONWriter.quoted(name)), needed \"llama3\"",
        at: kind.location)
    }
    return Model.RopeScaling(
      factor: try reader.real("factor", in: 1...0x1p20),
      low: try reader.real("low_freq_factor", in: 0x1p-20...0x1p20),
      high: try reader.real("high_freq_factor", in: 0x1p-20...0x1p20),
      originalContext: try reader.extent("original_max_position_embeddings"))
  }

  private static func meta(
    _ reader: Reader, _ name: String, vocabulary: Int?
  ) throws(NPUError) -> Model {
    let hidden = try reader.extent("dim")
    let heads = try reader.extent("n_heads")
    let rows = try reader.value("vocab_size")?.requireInt("vocab_size", in: -1...largest) ?? -1
    guard let vocabulary = rows > 0 ? rows : vocabulary else { throw reader.missing("vocab_size") }
    let rescales = try reader.flag("use_scaled_rope")
    return Model(
      name: name, hidden: hidden, layers: try reader.extent("n_layers"), heads: heads,
      kvHeads: try reader.extent("n_kv_heads", otherwise: heads),
      headDim: max(1, hidden / heads),
      ffn: feedForward(
        hidden, multiple: try reader.extent("multiple_of", otherwise: 256),
        factor: try reader.value("ffn_dim_multiplier").map { value throws(NPUError) in
          try value.requireDouble("ffn_dim_multiplier", in: 0x1p-10...0x1p10)
        }),
      vocabulary: vocabulary,
      ropeTheta: try reader.real("rope_theta", in: 1...0x1p40, otherwise: 10000),
      // The constants of Meta's own code, which params.json does not have.
      ropeScaling: rescales
        ? Model.RopeScaling(factor: 8, low: 1, high: 4, originalContext: 8192) : nil,
      rmsEpsilon: try reader.real("norm_eps", in: 0...1, otherwise: 1e-5),
      context: try reader.extent("max_seq_len", otherwise: 8192))
  }

  /// Width of the feed-forward part of Meta's models: two thirds of 4 · dim, times a factor, each cut to
  /// a whole number, up to a multiple.
  static func feedForward(_ hidden: Int, multiple: Int, factor: Double?) -> Int {
    var width = 2 * 4 * hidden / 3
    if let factor { width = Int(factor * Double(width)) }
    return max(1, (width + multiple - 1) / multiple) * multiple
  }

  private func check(_ reader: Reader) throws(NPUError) {
    let isHuggingFace = naming == .huggingFace
    guard model.heads % model.kvHeads == 0 else {
      throw NPUError(
        .parse,
        "\(isHuggingFace ? "num_key_value_heads" : "n_kv_heads") is \(model.kvHeads), which does "
          + "not divide the \(model.heads) heads", at: reader.json.location)
    }
    guard model.headDim % 2 == 0 else {
      throw NPUError(
        .parse, "heads have \(model.headDim) columns, needed an even number for RoPE",
        at: reader.json.location)
    }
    guard model.layers <= 1 << 12 else {
      throw NPUError(
        .parse, "found \(model.layers) layers, at most 4096 are run", at: reader.json.location)
    }
  }
}
