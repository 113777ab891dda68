/// Memory in which a core's datapath packs operands: it grows to the largest need and stays, so that no
/// micro-op allocates.
final class WorkArea {
  private var base: UnsafeMutableRawPointer
  private var capacity: Int

  init() {
    capacity = BlockProduct.workAlignment
    base = .allocate(byteCount: capacity, alignment: BlockProduct.workAlignment)
  }

  deinit { base.deallocate() }

  /// At least `count` bytes, aligned to ``BlockProduct/workAlignment``; what was there before is lost.
  func bytes(_ count: Int) -> UnsafeMutableRawPointer {
    if count > capacity {
      base.deallocate()
      capacity = max(count, 2 * capacity)
      base = .allocate(byteCount: capacity, alignment: BlockProduct.workAlignment)
    }
    return base
  }
}
