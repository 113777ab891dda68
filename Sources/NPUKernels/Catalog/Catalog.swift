import NPUSim

/// Every kernel, by the names that users type.
public enum Catalog {
  public static let kernels: [any Kernel.Type] = [
    DotProduct.self, Gevm.self, Gemm.self, Linear.self, SoftmaxV.self, Softmax.self,
    FlashAttention.self, CompressEpilog.self, RMSNorm.self, ResidualAdd.self, Argmax.self,
    Embedding.self, Rope.self, Swiglu.self, CacheStore.self,
  ]

  /// Every name that is accepted, other names after each kernel's own.
  public static var names: [String] { kernels.flatMap { [$0.name] + $0.aliases } }

  /// The kernel of that name, or of that other name. Throws `.usage` with a suggestion when there is none.
  public static func kernel(named name: String) throws(NPUError) -> any Kernel.Type {
    if let kernel = kernels.first(where: { $0.name == name || $0.aliases.contains(name) }) {
      return kernel
    }
    let near = DidYouMean.suggest(name, among: names)
    throw NPUError(
      .usage, "there is no kernel '\(name)'",
      hint: near.map { "did you mean \($0)?" } ?? "'simctl list' shows the kernels")
  }
}
