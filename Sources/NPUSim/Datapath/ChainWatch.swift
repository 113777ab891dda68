/// Follows some accumulator elements through their chains of block values, to see whether a BF16
/// accumulator drifts: addends that are rounded away one by one although together they count.
///
/// The element in the middle of a tile stands for its tile, and every ``interval``th chain of a core
/// is followed, the first among them, as following one costs about k steps. A chain drifts when the
/// exact sum of the addends that left the accumulator unchanged exceeds ``tolerance`` of the
/// accumulator's largest magnitude on the way. An addend alone is rounded away below 2^-9 of the
/// accumulator, so a chain of independent signs stays far below that sum; one of equal addends
/// reaches it at 265 blocks.
final class ChainWatch {
  /// One chain in so many is followed.
  static let interval = 8
  /// The share of the largest magnitude that may be rounded away: 4 to 8 units in the last place.
  static let tolerance = 1.0 / 32

  /// An accumulator element.
  private struct Element: Hashable {
    var buffer: UInt32
    var slot: Int
    var row: Int
    var column: Int
  }

  /// What is known of an element's chain.
  private struct Chain {
    /// Exact sum of the addends that changed nothing.
    var absorbed = 0.0
    /// Largest magnitude of the accumulator so far.
    var peak: Float
    /// The accumulator when last seen: another value means that something else wrote it.
    var value: Float
    var isReported = false
  }

  private var chains: [Element: Chain] = [:]
  private var starts = 0

  /// Follows the chain of a tile's middle element through a product that is about to be added.
  ///
  /// - Parameters:
  ///   - accumulator: the tile that the product is added to.
  ///   - value: the middle element of it before the product, +0 where a chain starts.
  /// - Returns: the share that was rounded away, where this product makes the chain drift.
  func follow(_ product: BlockProduct, into accumulator: TileRef, value: Float) -> Double? {
    let row = product.m / 2
    let column = product.n / 2
    guard product.m > 0, product.n > 0 else { return nil }
    let element = Element(
      buffer: accumulator.buffer, slot: Int(accumulator.slot), row: Int(accumulator.row) + row,
      column: Int(accumulator.column) + column)
    var chain = chains[element] ?? Chain(peak: 0, value: .nan)
    if product.startsAtZero || chain.value.bitPattern != value.bitPattern {
      chains[element] = nil
      starts += 1
      guard starts % Self.interval == 1 else { return nil }
      chain = Chain(peak: value.magnitude, value: value)
    }
    var absorbed = chain.absorbed
    var peak = chain.peak
    let end = product.chain(row: row, column: column, from: value, mode: .bf16) {
      before, addend, after in
      if before == after && addend.isFinite && after.isFinite { absorbed += Double(addend) }
      if after.isFinite { peak = max(peak, after.magnitude) }
    }
    let share = peak > 0 ? absorbed.magnitude / Double(peak) : 0
    let drifts = share > Self.tolerance && !chain.isReported
    chains[element] = Chain(
      absorbed: absorbed, peak: peak, value: end, isReported: chain.isReported || drifts)
    return drifts ? share : nil
  }
}
