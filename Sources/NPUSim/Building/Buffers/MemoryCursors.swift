/// Where the next buffer of each memory of a core goes: buffers lie one behind the other. What places
/// the buffers of a program and what measures a plan of them are this.
struct MemoryCursors {
  private var ends = SIMD8<Int>()

  /// Bytes of a memory up to the last one that is taken.
  subscript(space: Space) -> Int { ends[space.index] }

  /// Takes bytes of a memory; returns the first. What lies beyond any memory stays there.
  mutating func place(_ bytes: Int, in space: Space, granule: Int) -> Int {
    let base = roundUp(self[space], to: granule)
    raise(space, to: base + bytes)
    return base
  }

  /// Takes the bytes of a buffer of an on-chip memory; returns where it begins, and where its scales
  /// do. Those in a side array lie at 1/32 of the address, so that whatever shares payload bytes shares
  /// scale bytes, and nothing else does; others lie behind the buffer.
  mutating func place(_ extent: BufferExtent, in space: Space, alignment: Int) -> (
    payload: Int, scales: Int
  ) {
    let base = place(extent.payload, in: space, granule: alignment)
    if extent.scales == 0 { return (base, 0) }
    if space.hasScaleSideArray { return (base, base / 32) }
    return (base, place(extent.scales, in: space, granule: alignment))
  }

  /// Gives back the memories on chip as far as they were taken then; false where less is taken now.
  mutating func release(to earlier: MemoryCursors) -> Bool {
    var released = earlier.ends
    released[Space.hbm.index] = ends[Space.hbm.index]
    let isEarlier = all(released .<= ends)
    ends = released
    return isEarlier
  }

  /// Takes all bytes of a memory up to `end`.
  mutating func raise(_ space: Space, to end: Int) {
    ends[space.index] = min(max(self[space], end), Int.max / 4)
  }
}
