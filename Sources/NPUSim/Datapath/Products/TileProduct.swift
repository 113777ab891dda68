/// A product of matrices in memory and the tile of accumulators that it is added to.
struct TileProduct {
  let product: BlockProduct
  /// The tile of accumulators, for its identity.
  let tile: TileRef
  /// The tile of accumulators in memory: BF16 words or Floats.
  let accumulators: TileView
  /// Index of the micro-op in its core's list.
  let op: Int

  /// Adds some columns of the product and counts what is not finite.
  ///
  /// - Parameters:
  ///   - columns: columns of the tile.
  ///   - mode: the machine's accumulator.
  ///   - work: memory to pack operands in.
  func add(
    columns: Range<Int>, mode: AccumulatorMode, work: WorkArea, health: inout NumericHealth
  ) {
    let part = product.columns(columns)
    let memory = work.bytes(part.workBytes())
    let raw = UnsafeMutableRawPointer(
      accumulators.payload + columns.lowerBound * accumulators.format.bytes)
    let stride = accumulators.pitch / accumulators.format.bytes
    if accumulators.format == .bf16 {
      let words = raw.assumingMemoryBound(to: UInt16.self)
      guard part.add(toBF16: words, stride: stride, work: memory) else { return }
      for row in 0..<part.m {
        health.countNonFinite(words + row * stride, exponent: 0x7F80, count: part.n) { _ in .finite
        }
      }
    } else {
      let floats = raw.assumingMemoryBound(to: Float.self)
      guard part.add(to: floats, stride: stride, mode: mode, work: memory) else { return }
      let words = raw.assumingMemoryBound(to: UInt32.self)
      for row in 0..<part.m {
        health.countNonFinite(words + row * stride, count: part.n) { _ in .finite }
      }
    }
  }

  /// Follows the chain of the tile's middle element, which must be as it is before the product, and
  /// counts it where it drifts.
  func follow(_ chains: ChainWatch, mode: AccumulatorMode, health: inout NumericHealth) {
    guard mode == .bf16, product.m > 0, product.n > 0 else { return }
    var value: Float = 0
    if !product.startsAtZero {
      value = BF16(bits: accumulators.words(product.m / 2)[product.n / 2]).float
    }
    guard let share = chains.follow(product, into: tile, value: value) else { return }
    health.drifting += 1
    health.largestDrift = max(health.largestDrift, share)
  }
}
