/// What costs cycles.
extension FindingKind {
  static let P001 = FindingKind(
    .lint, "redundant event",
    """
    An event orders nothing that is not ordered without it. It costs two micro-ops and an ID.
    """,
    example: """
      sync.set   load->vector:0
      sync.wait  load->vector:0
      sync.set   load->vector:1                        ; the same edge again
      sync.wait  load->vector:1
      """,
    fix: "Delete the set and its wait.")

  static let P002 = FindingKind(
    .lint, "over-wide barrier",
    """
    A barrier joins more queues than need joining: the queues that nothing connects stand still
    with the others.
    """,
    example: """
      sync.barrier_all                                 ; only vector had to wait for load
      """,
    fix: "Replace it by an event between the two queues, or a barrier on one queue.")

  static let P003 = FindingKind(
    .lint, "small transfer",
    """
    A transfer moves so few bytes that its latency and fixed cost outweigh them.
    """,
    example: """
      load.ub  x[0 +: 1, 0 +: 32] <- input[0 +: 1, 0 +: 32]        ; 64 bytes, then hundreds of cycles
      """,
    fix: "Move several rows in one transfer, or keep the data on chip for longer.")

  static let P004 = FindingKind(
    .lint, "unaligned burst",
    """
    The rows of a transfer do not fill whole HBM bursts: each contiguous run is rounded out to
    whole bursts, and the rest is thrown away.
    """,
    example: """
      rows of 80 bytes in bursts of 64 move 128 bytes each
      """,
    fix: """
      Give tiles the tensor's full width, so that rows touch, or widths that are multiples of
      the burst.
      """)

  static let P005 = FindingKind(
    .lint, "bank conflict",
    """
    Two operands of a vector micro-op lie in the same bank group of `ub`. It costs no cycles in
    this model; hardware serialises the accesses.
    """,
    example: """
      vector.add of two tiles that start in the same bank group
      """,
    fix: "Pad one of the buffers so that the tiles start in different groups.")

  static let P006 = FindingKind(
    .lint, "no double buffering",
    """
    A buffer is filled and used in turns, so that the transfer and the computation never run at
    the same time.
    """,
    example: """
      one slot: load, exp, load, exp, each waiting for the other
      """,
    fix: "Give the buffer two slots, as a ring, and load one tile ahead.")

  static let P007 = FindingKind(
    .lint, "idle unit",
    """
    A unit that the kernel is bound by stands still for a large part of the run.
    """,
    example: """
      matrix busy for 40 % of the cycles, waiting for feed the rest
      """,
    fix: "Look at the queue's stall reasons in the report; the largest says what it waits for.")

  static let P008 = FindingKind(
    .lint, "dead store",
    """
    Bytes are written and never read before they are overwritten or the program ends.
    """,
    example: """
      vector.exp   y[0 +: 4, 0 +: 128] <- x[0 +: 4, 0 +: 128]
      vector.fill  y[0 +: 4, 0 +: 128]                       ; the exponentials are lost
      """,
    fix: "Delete the write, or correct the micro-op that was meant to read it.")

  static let P009 = FindingKind(
    .lint, "read back behind an event",
    """
    A core reads bytes of HBM that it wrote itself, and only events order the two. That is right
    on a machine where a write can be read when it is done. On one that writes through buffers
    of its own the read may find the old bytes: its description says
    hbm.read_after_write = fence, and the same program is an error there (H001).
    """,
    example: """
      store.hbm  scratch <- a
      set store->load:0
      wait load->store:0
      load.ub    b <- scratch       ; an event, and no barrier on all queues
      """,
    fix: "Put a barrier_all between the write and the read, or keep the bytes on chip.")
}
