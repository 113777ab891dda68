extension Program {
  /// Bytes that a check keeps of what cores know of one another: for each set and wait between two
  /// cores and each barrier over the cores, ``CoreExchange/lanes`` numbers of every core. 0 in a
  /// program without events between cores.
  public var exchangeBytes: Int {
    var turns = 0
    var hasEvents = false
    for record in cores.joined() {
      if record.kind.isBetweenCores { hasEvents = true }
      if record.kind.isBetweenCores || record.kind == .barrierCores { turns += 1 }
    }
    return hasEvents
      ? (turns + cores.count) * cores.count * CoreExchange.lanes * MemoryLayout<UInt32>.stride : 0
  }
}
