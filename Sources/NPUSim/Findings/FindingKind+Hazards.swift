/// Races: two that touch the same bytes, and nothing orders them.
extension FindingKind {
  static let H001 = FindingKind(
    .error, "read-after-write race",
    """
    A micro-op reads bytes that an earlier one writes, and nothing makes it wait until the
    result is visible. In one timing it reads the new value, in another the old one; the
    simulated timing is only one of them.
    """,
    example: """
      load.ub     x[0 +: 4, 0 +: 128] <- input[0 +: 4, 0 +: 128]
      vector.exp  y[0 +: 4, 0 +: 128] <- x[0 +: 4, 0 +: 128]      ; nothing orders it after the load
      """,
    fix: """
      Set an event on the writer's queue after the write, and wait for it on the reader's queue
      before the read; where a Swift builder is given no events, it makes them. Two micro-ops of one
      queue that does not interlock by itself need a barrier on that queue between them.
      """)

  static let H002 = FindingKind(
    .error, "write-after-read race",
    """
    A micro-op overwrites bytes that an earlier one may still be reading. The reader then sees
    the new value too early. This is the edge that rings of buffers lose most easily: it leads
    from the last use of a slot back to the load that fills the slot again, and a program runs
    faster without it.
    """,
    example: """
      vector.exp  y[0 +: 4, 0 +: 128] <- x[0 +: 4, 0 +: 128]
      load.ub     x[0 +: 4, 0 +: 128] <- input[4 +: 4, 0 +: 128]  ; x may still be in use
      """,
    fix: """
      Set an event on the reader's queue after the read, and wait for it on the writer's queue
      before the write; where a Swift builder is given no events, it makes them.
      """)

  static let H003 = FindingKind(
    .error, "write-after-write race",
    """
    Two micro-ops write the same bytes and nothing orders them. Which value stays depends on
    the timing. Scale bytes of MXINT8 tiles count, and so do the zeros that fill a last block.
    """,
    example: """
      drain.ub     y[0 +: 4, 0 +: 128] <- acc[0 +: 4, 0 +: 128]
      vector.fill  y[0 +: 4, 0 +: 128]                       ; before or after the drain?
      """,
    fix: """
      If both writes are wanted, order them with an event; if not, delete one, or make the two
      tiles disjoint. Cores that write one tensor need a barrier over the cores between them.
      """)
}
