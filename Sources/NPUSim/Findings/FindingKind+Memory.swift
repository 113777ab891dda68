/// Where operands lie.
extension FindingKind {
  static let M001 = FindingKind(
    .error, "out of bounds",
    "A tile reaches beyond the rows, columns or slots of its buffer.",
    example: """
      load.ub  x[0 +: 8, 0 +: 128] <- input[0 +: 8, 0 +: 128]      ; x has 4 rows
      """,
    fix: """
      Shorten the tile in the last iteration to what is left, or make the buffer larger.
      """)

  static let M002 = FindingKind(
    .error, "misaligned",
    """
    A tile starts where the memory cannot be addressed: rows of on-chip memories start on
    multiples of the memory's alignment, and MXINT8 tiles on whole blocks of 32 along the
    block axis.
    """,
    example: """
      vector.exp  y[0 +: 4, 3 +: 64] <- x[0 +: 4, 3 +: 64]         ; column 3 of BF16 is byte 6
      """,
    fix: "Start the tile on a multiple of the alignment; `simctl config show` has it.")

  static let M003 = FindingKind(
    .error, "capacity exceeded",
    """
    The buffers of a memory take more bytes than it has. The message lists the owners. Pitches
    are padded to the alignment, so a buffer of narrow rows is larger than its elements.
    """,
    example: """
      a ring of 4 slots of 128 x 512 BF16 in a ub of 128 KB needs 512 KB
      """,
    fix: """
      Use smaller tiles or fewer stages; `--schedule` sets both. Narrow rows waste padding: put
      more columns in a row.
      """)

  static let M004 = FindingKind(
    .error, "lifetime overlap",
    """
    Two buffers placed at explicit addresses share bytes while both are in use.
    """,
    example: """
      buffer a at byte 0, 4096 bytes; buffer b at byte 2048, both live
      """,
    fix: "Move one of them, or let them be placed automatically.")

  static let M005 = FindingKind(
    .error, "illegal operands",
    """
    The operands of a micro-op do not fit one another or the micro-op: shapes that differ,
    formats that it does not take, a tile outside its tensor, a block axis that does not run
    along the reduction.
    """,
    example: """
      matrix.matmul  acc[0 +: 16, 0 +: 64] <- left[0 +: 16, 0 +: 32], right[0 +: 64, 0 +: 64]
                                                       ; 32 columns of left, 64 rows of right
      """,
    fix: "Change the tile or the format that the message names.")

  static let M006 = FindingKind(
    .error, "slot error",
    """
    A row list names a row that its tensor does not have, or the same row twice, so that two
    results would land in one place; or a tile takes rows from places that the list does not have.
    """,
    example: """
      slot_mapping = [0, 1, 9] into a cache of 8 slots
      """,
    fix: """
      Correct the list. In `slot_mapping` of a kernel -1 leaves a row out; a list of a text leaves out
      nothing, so such rows do not stand in it. Where a later row shall win over an earlier one,
      remove the earlier before the program is built.
      """)

  static let M007 = FindingKind(
    .error, "operands share bytes",
    """
    A result shares bytes with another operand of the same micro-op: a source, a scale, one
    value a row, or a second result. In which order a micro-op reads and writes is its own
    affair and differs between processors, so that the words would depend on more than the
    program. A source that is read element by element may be the very tile of the result (the
    same bytes, pitch, format and extent); docs/isa.md says for each micro-op which.
    """,
    example: """
      vector.transpose  a <- a                                ; 16 x 16, in place
      vector.copy       a[4 +: 8, :] <- a[0 +: 8, :]          ; rows that overlap
      vector.exp        a <- a                                ; this one is right
      """,
    fix: """
      Give the result a tile of its own, or, where the micro-op allows it, exactly that of the
      source. Buffers that are placed with `at` may share bytes unseen: place them apart.
      """)
}
