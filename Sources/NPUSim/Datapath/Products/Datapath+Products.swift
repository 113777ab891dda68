/// Products of MXINT8 matrices, added to accumulators at once or shared with another thread.
extension Datapath {
  /// A view of the accumulators of a product, which is then to be passed to
  /// ``add(_:of:and:to:_:)``.
  ///
  /// It does not wait for shared products on the same accumulators: their order is kept.
  ///
  /// - Parameter continuing: whether the product is added to what they hold; otherwise every one of them
  ///   is about to be written.
  public mutating func accumulators(_ tile: Tile<Acc>, continuing: Bool) -> TileView {
    let view = view(tile.ref)
    return continuing
      ? update(tile.ref, view) : destination(tile.ref, view, zeroFill: false)
  }

  /// Adds a product to m × n accumulators, in the machine's accumulator mode, and counts what is not
  /// finite and which chains drift: now, or before anything sees the accumulators or changes an operand.
  ///
  /// - Parameters:
  ///   - left: the tile of A.
  ///   - right: the tile of B.
  ///   - accumulators: what ``accumulators(_:continuing:)`` returned for `tile`.
  public mutating func add(
    _ product: BlockProduct, of left: TileView, and right: TileView, to tile: Tile<Acc>,
    _ accumulators: TileView
  ) {
    let next = TileProduct(
      product: product, tile: tile.ref, accumulators: accumulators, op: op)
    if let shared, shared.add(next, of: left, and: right) { return }
    next.follow(chains, mode: settings.accumulator, health: &health)
    next.add(
      columns: 0..<product.n, mode: settings.accumulator, work: workArea, health: &health)
  }

  /// Ends what other threads do for this datapath.
  func awaitSharedProducts() { shared?.awaitAll() }
}
