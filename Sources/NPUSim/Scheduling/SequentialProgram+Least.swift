extension SequentialProgram {
  /// Cycles below which the program cannot end in any order: what the busiest queue of a core does,
  /// one micro-op after another, and what HBM serves all cores.
  ///
  /// - Throws: as ``PriceTable/init(_:)``.
  public func leastCycles() throws(NPUError) -> Int64 {
    let prices = try PriceTable(tables)
    var least: Int64 = 0
    var bytes: Int64 = 0
    for core in 0..<coreCount {
      var busy = InlineArray<6, Int64>(repeating: 0)
      for record in records(ofCore: core) where record.kind == .data {
        let price = prices[record.work]
        let queue = record.queue.index
        busy[queue] = busy[queue].addedClamped(to: price.uncontended)
        if price.usesHBM { bytes = bytes.addedClamped(to: tables.works[Int(record.work)].hbmBytes) }
      }
      for queue in 0..<Queue.count { least = max(least, busy[queue]) }
    }
    return max(least, ExactCycles(bytes, at: tables.machine.hbm.readRate).roundedUp(dividedBy: 1))
  }
}
