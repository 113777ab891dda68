extension Explanation {
  /// The codes I002 and I003.
  static func role(_ code: FindingCode) -> Explanation {
    switch code {
    case .I002:
      Explanation(
        """
        Elements of an output that no micro-op writes. They have no value: a dump shows zeros for them,
        and a comparison compares nothing. The message names the rows, the columns where it is not all
        of them, and the last write to the tensor.
        """,
        example: """
          .output y bf16 [32, 256]
          store.hbm y[0 +: 16, :] <- a                                 ; rows 16 to 31 are left out
          """,
        fix: """
          Write the rest: the last turn of a loop, or a ragged tail, is often what is missing. Where old
          words are meant to stay, as in the slots of a cache that are not in use, declare the tensor
          `.update` (in Swift, `role: .inputOutput`): then it is given before the run, and need not be
          written whole.
          """)
    default:
      Explanation(
        """
        A micro-op writes a tensor that is declared as an input. An input is given, and a dump holds it as
        it was given: what is written there would not show.
        """,
        example: """
          .input x bf16 [16, 64]
          store.hbm x <- a
          """,
        fix: """
          Declare the tensor `.update` (in Swift, `role: .inputOutput`) where it is changed in place, or
          write to another one.
          """)
    }
  }
}
