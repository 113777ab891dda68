/// A buffer of several slots that are used in turn: multi-buffering.
///
/// That a slot is read before it is overwritten needs no word: whoever writes it comes after those who
/// read it, as emitted.
public struct Ring<S: MemorySpace>: Sendable {
  public let buffer: BufferHandle<S>
  private var turn = 0

  init(_ buffer: BufferHandle<S>) { self.buffer = buffer }

  /// One slot of a ring.
  public struct Slot: Sendable {
    public let index: Int
    @usableFromInline let buffer: BufferHandle<S>

    /// A rectangle of the slot.
    @inlinable public func tile(
      row: Int = 0, column: Int = 0, rows: Int? = nil, columns: Int? = nil
    )
      -> Tile<S>
    {
      buffer.tile(slot: index, row: row, column: column, rows: rows, columns: columns)
    }
  }

  /// The slot of turn `turn`, counted from 0.
  public subscript(turn: Int) -> Slot {
    Slot(index: turn % buffer.slots, buffer: buffer)
  }

  /// The next slot, in turn.
  public mutating func next() -> Slot {
    defer { turn += 1 }
    return self[turn]
  }
}
