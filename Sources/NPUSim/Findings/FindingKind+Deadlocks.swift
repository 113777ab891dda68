/// What never ends.
extension FindingKind {
  static let D001 = FindingKind(
    .error, "deadlock cycle",
    """
    Queues wait for one another in a circle: each stands at a wait whose set comes behind the
    wait of the next. No timing gets past it.
    """,
    example: """
      sync.wait  vector->load:0
      sync.set   load->vector:0
      sync.wait  load->vector:0
      sync.set   vector->load:0                        ; each is behind the other's wait
      """,
    fix: """
      Move one of the sets before the wait of its own queue. In a ring, the first uses of the
      slots need no wait: nothing has filled them yet.
      """)

  static let D002 = FindingKind(
    .error, "starvation",
    """
    A queue stands at a wait whose set never comes: it does not exist, or it is in a queue that
    itself never gets there. A barrier over the cores that one core does not have is of the
    same kind. So is a drain with the unit flag that no matmul releases, and a chain of matmuls
    behind a release that no drain with the flag empties.
    """,
    example: """
      sync.wait   load->vector:0                       ; no set of load->vector:0
      vector.exp  y[0 +: 4, 0 +: 128] <- x[0 +: 4, 0 +: 128]
      """,
    fix: "Add the set after the micro-op that makes the data, or delete the wait.")

  static let D003 = FindingKind(
    .error, "capacity deadlock",
    """
    The program is ordered well, yet stops on this machine: the sequencer dispatches in program
    order, a queue is full, and the micro-op that would empty it is behind the one that does
    not fit.
    """,
    example: """
      sync.wait  load->feed:0                          ; holds the feed queue
      feed.left  ...                                   ; 16 of them fill it
      load.l1    ...                                   ; never dispatched: the full queue is first
      sync.set   load->feed:0
      """,
    fix: """
      Emit the loads earlier in the program: a ring's length minus one tiles ahead of their
      consumers. A deeper queue (`queues.depth`) hides the fault and does not remove it.
      """)
}
