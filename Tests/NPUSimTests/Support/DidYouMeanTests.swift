import NPUSim
import Testing

@Suite struct DidYouMeanTests {
  static let kernels = [
    "dot_product", "gevm", "gemm", "softmax", "softmax_v", "flash_attention", "rope",
  ]

  static let guesses: [(word: String, guess: String?)] = [
    ("gem", "gemm"), ("gmem", "gemm"), ("GEMM", "gemm"), ("softmax-v", "softmax_v"),
    ("sofmax", "softmax"), ("flash", "flash_attention"), ("flashattention", "flash_attention"),
    ("dot", "dot_product"), ("soft", nil), ("zebra", nil), ("", nil), ("x", nil),
  ]

  @Test(arguments: guesses)
  func `a mistyped word finds its neighbour and a stranger finds none`(
    _ item: (word: String, guess: String?)
  ) {
    #expect(DidYouMean.suggest(item.word, among: Self.kernels) == item.guess)
  }

  @Test func `words of any length are safe`() {
    let long = String(repeating: "a", count: 10_000)
    #expect(DidYouMean.suggest(long, among: [long, "b"]) == nil)
    #expect(DidYouMean.suggest("abc", among: [long]) == nil)
    #expect(DidYouMean.suggest("abc", among: []) == nil)
    #expect(DidYouMean.hint(for: "abc", among: []) == nil)
    #expect(DidYouMean.hint(for: "q", among: ["left", "right"]) == "known: left, right")
  }

  @Test func `what names have in front is no likeness`() {
    let known = ["softmaxed_v.v", "softmaxed_v.exp_sum"]
    #expect(DidYouMean.suggest("softmaxed_v.qk_t", among: known) == nil)
    #expect(DidYouMean.suggest("softmaxed_v.w", among: known) == nil)
    #expect(DidYouMean.suggest("softmaxed_v.exp_sums", among: known) == "softmaxed_v.exp_sum")
    #expect(DidYouMean.suggest("softmaxd_v.exp_sum", among: known) == "softmaxed_v.exp_sum")
  }
}
