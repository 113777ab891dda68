/// Products of MXINT8 matrices, in memory for packing that the core keeps.
extension Datapath {
  /// Adds a product to m × n accumulators: BF16 words, or Floats in the machine's accumulator mode.
  ///
  /// - Parameter stride: elements from one row of accumulators to the next.
  /// - Returns: false if certainly no accumulator became NaN or infinite.
  public func add(
    _ product: BlockProduct, to accumulators: UnsafeMutableRawPointer, stride: Int, isBF16: Bool
  ) -> Bool {
    let shared = SharedProduct(
      product, to: accumulators, stride: stride, isBF16: isBF16, mode: settings.accumulator)
    if let team, shared.isWorthSharing {
      return team.add(shared, work: workArea.bytes(shared.workBytes))
    }
    return shared.add(work: workArea.bytes(product.workBytes()))
  }
}
