import NPUSim

/// A weight of a Llama: what it is called in a checkpoint, and its shape.
public enum ModelWeight: Sendable, Hashable {
  case embedding
  case norm
  case head
  case layer(Int, Part)

  /// The weights of a layer, in the order in which a token meets them.
  public enum Part: Sendable, Hashable, CaseIterable {
    case attentionNorm, query, key, value, output, feedForwardNorm, gate, up, down
  }

  /// Whose names a checkpoint has.
  public enum Naming: Sendable, Hashable {
    case huggingFace, meta
  }

  /// Every weight of a model; the head only where it is not the embedding.
  public static func all(of model: Model, isTied: Bool) -> [ModelWeight] {
    let layers = (0..<model.layers).flatMap { layer in
      Part.allCases.map { ModelWeight.layer(layer, $0) }
    }
    return [.embedding] + layers + [.norm] + (isTied ? [] : [.head])
  }

  /// The name in a checkpoint.
  public func name(_ naming: Naming) -> String {
    switch (self, naming) {
    case (.embedding, .huggingFace): "model.embed_tokens.weight"
    case (.embedding, .meta): "tok_embeddings.weight"
    case (.norm, .huggingFace): "model.norm.weight"
    case (.norm, .meta): "norm.weight"
    case (.head, .huggingFace): "lm_head.weight"
    case (.head, .meta): "output.weight"
    case (.layer(let layer, let part), .huggingFace):
      "model.layers.\(layer).\(part.huggingFaceName).weight"
    case (.layer(let layer, let part), .meta): "layers.\(layer).\(part.metaName).weight"
    }
  }

  /// The shape, [out, in] of a matrix.
  public func shape(in model: Model) -> [Int] {
    switch self {
    case .embedding, .head: [model.vocabulary, model.hidden]
    case .norm: [model.hidden]
    case .layer(_, let part): part.shape(in: model)
    }
  }
}

extension ModelWeight.Part {
  fileprivate var huggingFaceName: String {
    switch self {
    case .attentionNorm: "input_layernorm"
    case .query: "self_attn.q_proj"
    case .key: "self_attn.k_proj"
    case .value: "self_attn.v_proj"
    case .output: "self_attn.o_proj"
    case .feedForwardNorm: "post_attention_layernorm"
    case .gate: "mlp.gate_proj"
    case .up: "mlp.up_proj"
    case .down: "mlp.down_proj"
    }
  }

  fileprivate var metaName: String {
    switch self {
    case .attentionNorm: "attention_norm"
    case .query: "attention.wq"
    case .key: "attention.wk"
    case .value: "attention.wv"
    case .output: "attention.wo"
    case .feedForwardNorm: "ffn_norm"
    case .gate: "feed_forward.w1"
    case .up: "feed_forward.w3"
    case .down: "feed_forward.w2"
    }
  }

  fileprivate func shape(in model: Model) -> [Int] {
    switch self {
    case .attentionNorm, .feedForwardNorm: [model.hidden]
    case .query: [model.heads * model.headDim, model.hidden]
    case .key, .value: [model.kvHeads * model.headDim, model.hidden]
    case .output: [model.hidden, model.heads * model.headDim]
    case .gate, .up: [model.ffn, model.hidden]
    case .down: [model.hidden, model.ffn]
    }
  }
}
