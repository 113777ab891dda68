/// What a launch of a model's run is for: the rows of the table that a run prints.
public enum LlamaStage: String, Sendable, Hashable, CaseIterable {
  case embedding
  case attentionNorm = "attention norm"
  case query
  case key
  case value
  case rope
  case cacheStore = "cache store"
  case attention
  case output = "output and residual"
  case feedForwardNorm = "ffn norm"
  case feedForward = "swiglu"
  /// The three products of many tokens, in the place of swiglu and the residual.
  case gate
  case up = "up and gate"
  case down = "down and residual"
  case residual = "ffn residual"
  case norm
  case head = "lm head"
  case argmax
}
