/// Products of MXINT8 matrices, in memory for packing that the core keeps.
extension Datapath {
  /// Adds a product to m × n accumulators: BF16 words, or Floats in the machine's accumulator mode.
  ///
  /// - Parameter stride: elements from one row of accumulators to the next.
  /// - Returns: false if certainly no accumulator became NaN or infinite.
  public func add(
    _ product: BlockProduct, to accumulators: UnsafeMutableRawPointer, stride: Int, isBF16: Bool
  ) -> Bool {
    let work = workArea.bytes(product.workBytes())
    if isBF16 {
      let words = accumulators.assumingMemoryBound(to: UInt16.self)
      return product.add(toBF16: words, stride: stride, work: work)
    }
    let floats = accumulators.assumingMemoryBound(to: Float.self)
    return product.add(to: floats, stride: stride, mode: settings.accumulator, work: work)
  }
}
