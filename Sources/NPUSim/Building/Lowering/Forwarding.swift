extension MachineConfiguration {
  /// Settles which operands and results of a micro-op forward on this machine.
  ///
  /// An accumulating matmul declares that it continues the chain of an earlier one on its tile. The
  /// unit forwards only from ``MatrixUnit/forwardTiles`` unit tiles on: a smaller accumulator comes
  /// round again before its last sum has left the adder.
  ///
  /// On a vector queue that streams, a micro-op that works element by element goes through its tiles
  /// at an even pace. One behind it on the very same tile comes to element `i` at least the shorter of
  /// the two occupancies later, and cannot overtake where that is at least the latency. An opaque
  /// micro-op that says so streams alike, with the cycles and the latency that it states; one of the
  /// matrix queue forwards like a matmul.
  func settleForwarding(of record: inout OpRecord, doing work: Work, tile: (Int) -> TileRef) {
    if work.kind == .matrix {
      record.forwardsResults = true
      let (m, _, n) = work.amounts
      if !matrix.forwards(m: m, n: n) { record.setForward(0, to: false) }
    } else if work.streams, record.queue == .matrix {
      record.forwardsResults = true
      for k in accumulated(record, tile) { record.setForward(k, to: true) }
    } else if interlocks[record.queue.index] == .stream, streams(record, work, tile) {
      record.forwardsResults = true
      for k in 0..<Int(record.operandCount) where !record.access(k).isEmpty {
        record.setForward(k, to: true)
      }
    }
  }

  /// The operands of an opaque matmul that are the tile which it adds to, where that is so large that
  /// the unit forwards.
  private func accumulated(_ record: OpRecord, _ tile: (Int) -> TileRef) -> [Int] {
    let sums = (0..<Int(record.operandCount)).filter {
      !record.access($0).isEmpty && tile($0).space == .acc
    }
    let isAdded = [Access.write, .read].allSatisfy { access in
      sums.contains { record.access($0).contains(access) }
    }
    guard isAdded, let first = sums.first,
      matrix.forwards(accumulatorBytes: tile(first).usefulBytes)
    else { return [] }
    return sums
  }

  /// Whether a vector micro-op goes through tiles of one extent element by element, for at least the
  /// longest latency of the unit, which is not exceeded.
  private func streams(_ record: OpRecord, _ work: Work, _ tile: (Int) -> TileRef) -> Bool {
    let longest = vector.latencies.max() ?? 0
    if work.streams {
      guard work.amounts.0 >= longest, work.amounts.1 <= longest else { return false }
    } else {
      guard let kind = work.vectorClass,
        let occupancy = vector.occupancy(
          of: kind, elements: work.elements, rows: work.rows, formats: work.formats),
        occupancy >= longest
      else { return false }
    }
    let operands = (0..<Int(record.operandCount)).filter { !record.access($0).isEmpty }
    guard let first = operands.first.map(tile) else { return false }
    return operands.allSatisfy { k in
      let own = tile(k)
      return (record.access(k) == .write || record.isInPlace(k)) && own.indexList == 0
        && own.rows == first.rows && own.columns == first.columns
    }
  }
}
