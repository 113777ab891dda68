extension TextExpander {
  /// Emits a micro-op whose operands are its tiles, its cycles, its latency, whether it streams and its
  /// unit flag.
  mutating func emitOpaque(_ index: Int, _ statement: PlanStatement, on queue: Queue) {
    let written = tree.statement(index)
    let name = tree.names[tree.declaration(of: written).format]
    var op = OpaqueOp(name, on: queue, results: [], sources: [], cycles: 0)
    let end = statement.operands.range.upperBound - 4
    for (offset, place) in (statement.operands.range.lowerBound..<end).enumerated() {
      guard let tile = tile(plan.operands[place], index) else { return }
      if written.destinations < 0 || offset < Int(written.destinations) {
        op.results.append(tile)
      } else {
        op.sources.append(tile)
      }
    }
    let (cycles, latency) = (plan.operands[end].slot, plan.operands[end + 1].slot)
    guard let occupied = value(cycles, index), let after = value(latency, index) else { return }
    guard let streams = immediate(plan.operands[end + 2], index),
      let unit = immediate(plan.operands[end + 3], index)
    else { return }
    op.streams = streams != 0
    op.unit = OpaqueOp.unit(unit, on: queue)
    op.cycles = Int(occupied)
    op.latency = Int(after)
    guard occupied >= 1, after >= 0 else {
      return fail(
        occupied < 1
          ? "found \(occupied) cycles, needed 1 or more"
          : "found a latency of \(after), needed 0 or more",
        at: span(occupied < 1 ? cycles : latency, index), index)
    }
    let position = builder.position
    lastData[core] = position
    let isSound = builder.append(ofText: op)
    if isSound, builder.position > position {
      settled.keep(position, of: Int(tree.lines[index].statement))
    }
  }
}
