/// The promise that a micro-op's results are visible: what a later micro-op names in `after:`.
public struct Token: Sendable, Hashable {
  /// The core whose program the micro-op belongs to.
  let core: UInt32
  /// Position of the micro-op among those emitted on the core, before lowering.
  let op: UInt32
}

/// A buffer of several slots used in turn: multi-buffering with its write-after-read edge.
///
/// `acquire` hands out the next slot together with the tokens that must pass before it may be
/// overwritten; `release` names the micro-ops that read it.
public struct Ring<S: MemorySpace>: Sendable {
  public let buffer: BufferHandle<S>
  private var next = 0
  private var readers: [[Token]]

  init(_ buffer: BufferHandle<S>) {
    self.buffer = buffer
    readers = Array(repeating: [], count: buffer.slots)
  }

  /// One slot of a ring, held from `acquire` to `release`.
  public struct Slot: Sendable {
    public let index: Int
    @usableFromInline let buffer: BufferHandle<S>
    /// What must be visible before the slot is overwritten: its last readers.
    public let free: [Token]

    /// A rectangle of the slot.
    @inlinable public func tile(
      row: Int = 0, column: Int = 0, rows: Int? = nil, columns: Int? = nil
    )
      -> Tile<S>
    {
      buffer.tile(slot: index, row: row, column: column, rows: rows, columns: columns)
    }
  }

  /// The next slot, in turn.
  public mutating func acquire() -> Slot {
    let index = next
    next = (next + 1) % buffer.slots
    let slot = Slot(index: index, buffer: buffer, free: readers[index])
    readers[index] = []
    return slot
  }

  /// Frees a slot once the micro-ops of `tokens` have passed.
  public mutating func release(_ slot: Slot, after tokens: [Token]) {
    readers[slot.index].append(contentsOf: tokens)
  }

  /// Frees a slot once the micro-op of `token` has passed.
  public mutating func release(_ slot: Slot, after token: Token) {
    readers[slot.index].append(token)
  }
}
