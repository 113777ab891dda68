/// What is read before it is written, never written, or given and written.
extension FindingKind {
  static let I001 = FindingKind(
    .error, "uninitialised read",
    """
    A micro-op reads bytes that nothing before it has written. Memory is not zero at the start:
    such a byte has no value, and every result made of it is worthless.
    """,
    example: """
      vector.add  y[0 +: 4, 0 +: 128] <- x[0 +: 4, 0 +: 128], b[0 +: 4, 0 +: 128]   ; b was never loaded
      """,
    fix: """
      Load or fill the bytes first, and order the read after it. In a ragged tail, read only the
      extent that was loaded.
      """)

  static let I002 = FindingKind(
    .error, "unwritten output",
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

  static let I003 = FindingKind(
    .error, "written input",
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
