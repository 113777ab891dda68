import NPUSim

/// What decides the words of a Llama's run beside weights, tokens and machine.
public struct LlamaOptions: Sendable, Hashable {
  /// In what keys and values are kept.
  public enum CacheFormat: String, Sendable, Hashable, CaseIterable {
    case bf16, mxint8, e4m3fn, e5m2

    var isFP8: Bool { self == .e4m3fn || self == .e5m2 }

    var element: ElementFormat {
      switch self {
      case .bf16: .bf16
      case .mxint8: .mxint8
      case .e4m3fn: .e4m3fn
      case .e5m2: .e5m2
      }
    }
  }

  public var cache: CacheFormat = .bf16
  /// The pages that keys and values lie in; `nil` where they lie one after the other. It changes no word.
  public var paging: LlamaPaging?
  /// Whose pairs of columns RoPE rotates and whose RMS norm rounds: those of the checkpoint, unless they
  /// are forced.
  public var naming: ModelWeight.Naming = .huggingFace
  /// Fields of attention's schedule. `tile.kv` is part of the words; where it is not given, it is 128 at
  /// every length of the cache.
  public var schedule = "tile.kv=128"

  /// Whether attention writes scores and probabilities out, as three kernels: other words.
  public var isUnfused = false

  public init() {}
}
