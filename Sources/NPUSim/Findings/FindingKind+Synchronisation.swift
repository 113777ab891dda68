/// Events and their IDs.
extension FindingKind {
  static let S001 = FindingKind(
    .error, "unpaired set",
    """
    An event is set and no micro-op ever waits for it. Either the wait was forgotten, and a race
    is likely to be reported beside this, or the set is left over from an earlier version.
    """,
    example: """
      load.ub   x[0 +: 4, 0 +: 128] <- input[0 +: 4, 0 +: 128]
      sync.set  load->vector:0                         ; nobody waits
      """,
    fix: "Add the wait before the micro-op that needs the data, or delete the set.")

  static let S002 = FindingKind(
    .error, "surplus wait",
    """
    There are more waits for an event than sets of it: the k-th wait belongs to the k-th set,
    and this one has none. The queue stops there for ever.
    """,
    example: """
      sync.set   load->vector:0
      sync.wait  load->vector:0
      sync.wait  load->vector:0                        ; the second has no set
      """,
    fix: """
      Delete the wait, or add the set that it stands for. In a loop, look at the first and the
      last iteration: a pair that one of them skips leaves a surplus.
      """)

  static let S003 = FindingKind(
    .error, "leftover event",
    """
    An event has been set more often than it is waited for, so it is still set when the program
    ends. The next kernel on the core would find it and pass a wait too early.
    """,
    example: """
      sync.set   load->vector:0
      sync.wait  load->vector:0
      sync.set   load->vector:0                        ; left over
      """,
    fix: "Wait for it before the program ends, or delete the last set.")

  static let S004 = FindingKind(
    .error, "double set",
    """
    An event is set twice, and in the order of the program no wait for it stands between. An event
    is one bit: the second set is lost, and a later wait stops for ever or passes for the wrong
    reason. Machines publish it as illegal. With `events.overwrite` = `counts N` up to N sets may
    stand, and one more is this finding; with `blocks` the second set waits, and there is none.
    """,
    example: """
      sync.set   load->vector:0
      sync.set   load->vector:0                        ; the first still stands
      sync.wait  load->vector:0
      sync.wait  load->vector:0
      """,
    fix: """
      Use another event ID for the second pair, or wait for the first before the second is set.
      """)

  static let S005 = FindingKind(
    .error, "event ID out of range",
    """
    An event ID is not below the number of IDs that the machine has for each ordered pair of
    queues (`events.per_pair`).
    """,
    example: """
      sync.set  load->vector:8                         ; a machine of 8 IDs has 0 to 7
      """,
    fix: "Use a lower ID; rotate the IDs of a ring through those that exist.")

  static let S007 = FindingKind(
    .error, "queues without events",
    """
    A set or a wait names an event between two queues that have none on this machine
    (`events.pairs`, `events.fused_pairs`). What the finding names beside leads the same way over other
    queues.
    """,
    example: """
      matrix.matmul  c <- a, b
      sync.set       matrix->vector:0                  ; a machine with matrix->drain, drain->vector
      """,
    fix: """
      Let the queue between wait for the first and set the event for the second; what it does in
      between may be nothing. Or put a barrier on all queues between the two.
      """)

  static let S008 = FindingKind(
    .warning, "a set may come before the wait",
    """
    Sets and waits of an event alternate in the program, but nothing orders a set after the wait
    that makes room for it: where the waiting queue is late, the set comes first. The event is one
    bit, so the set is lost and a wait stops for ever. The page says whether that shows in the
    program's own timing or how many cycles are to spare. It is a warning: such programs run where
    the timing is kind, and the proof leaves out the timings in which it is not.
    """,
    example: """
      load.ub    a[0] <- x[0]
      sync.set   load->vector:0
      sync.wait  load->vector:0
      load.ub    a[1] <- x[1]
      sync.set   load->vector:0                        ; the vector queue may still stand before
      sync.wait  load->vector:0                        ; the first wait
      """,
    fix: """
      One ID a slot of the ring: the events take IDs in turn, and the edge that frees the slot
      frees its ID too. Or an event back, from the waiting queue to the one that sets.
      """)
}
