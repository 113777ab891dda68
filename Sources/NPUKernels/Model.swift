import NPUSim

/// The exact shapes of a published decoder-only language model.
public struct Model: Sendable, Hashable {
  /// The rescaling of rotary frequencies for long contexts, as Llama 3.1 and later do it.
  public struct RopeScaling: Sendable, Hashable {
    /// By what low frequencies are divided.
    public var factor: Double
    /// Wavelengths above `originalContext / low` are divided fully.
    public var low: Double
    /// Wavelengths below `originalContext / high` are left alone.
    public var high: Double
    /// Tokens of the context before rescaling.
    public var originalContext: Int
  }

  /// The name that users type.
  public var name: String
  /// Width of the residual stream.
  public var hidden: Int
  public var layers: Int
  /// Query heads.
  public var heads: Int
  /// Key and value heads; divides ``heads``.
  public var kvHeads: Int
  /// Columns of one head.
  public var headDim: Int
  /// Width of the feed-forward part.
  public var ffn: Int
  public var vocabulary: Int
  /// Base of the rotary frequencies.
  public var ropeTheta: Double
  /// `nil` where frequencies are not rescaled.
  public var ropeScaling: RopeScaling?
  /// Added to the mean square in each RMS norm.
  public var rmsEpsilon: Double
  /// Longest context in tokens.
  public var context: Int

  /// Every model, from the configuration files published with its weights.
  public static let all: [Model] = [
    Model(
      name: "llama-2-7b", hidden: 4096, layers: 32, heads: 32, kvHeads: 32, headDim: 128,
      ffn: 11008, vocabulary: 32000, ropeTheta: 10000, rmsEpsilon: 1e-5, context: 4096),
    Model(
      name: "llama-3-8b", hidden: 4096, layers: 32, heads: 32, kvHeads: 8, headDim: 128,
      ffn: 14336, vocabulary: 128_256, ropeTheta: 500_000, rmsEpsilon: 1e-5, context: 8192),
    Model(
      name: "llama-3.2-1b", hidden: 2048, layers: 16, heads: 32, kvHeads: 8, headDim: 64,
      ffn: 8192, vocabulary: 128_256, ropeTheta: 500_000,
      ropeScaling: RopeScaling(factor: 32, low: 1, high: 4, originalContext: 8192),
      rmsEpsilon: 1e-5, context: 131_072),
    Model(
      name: "tinyllama-1.1b", hidden: 2048, layers: 22, heads: 32, kvHeads: 4, headDim: 64,
      ffn: 5632, vocabulary: 32000, ropeTheta: 10000, rmsEpsilon: 1e-5, context: 2048),
  ]

  /// The model of a name. Throws `.usage` with a suggestion when there is none.
  public static func named(_ name: String) throws(NPUError) -> Model {
    if let model = all.first(where: { $0.name == name }) { return model }
    throw NPUError(
      .usage, "there is no model '\(name)'",
      hint: DidYouMean.hint(for: name, among: all.map(\.name)))
  }

  /// The shapes in one line.
  public var summary: String {
    "\(layers) layers, hidden \(hidden), heads \(heads)/\(kvHeads) x \(headDim), ffn \(ffn), "
      + "vocabulary \(vocabulary), context \(context)"
  }

  /// The shapes as JSON.
  public var json: JSONValue {
    var scaling = JSONValue.null
    if let ropeScaling {
      scaling = .object([
        JSONMember("factor", .double(ropeScaling.factor)),
        JSONMember("low", .double(ropeScaling.low)),
        JSONMember("high", .double(ropeScaling.high)),
        JSONMember("original_context", .integer(ropeScaling.originalContext)),
      ])
    }
    return .object([
      JSONMember("name", .string(name)), JSONMember("hidden", .integer(hidden)),
      JSONMember("layers", .integer(layers)), JSONMember("heads", .integer(heads)),
      JSONMember("kv_heads", .integer(kvHeads)), JSONMember("head_dim", .integer(headDim)),
      JSONMember("ffn", .integer(ffn)), JSONMember("vocabulary", .integer(vocabulary)),
      JSONMember("rope_theta", .double(ropeTheta)), JSONMember("rope_scaling", scaling),
      JSONMember("rms_epsilon", .double(rmsEpsilon)), JSONMember("context", .integer(context)),
    ])
  }
}
