extension TextExpander {
  /// Counts a micro-op; `false` where there are too many.
  private mutating func admitOne(_ index: Int) -> Bool {
    microOps += 1
    if microOps <= limits.microOps { return true }
    fail(
      "found more than \(limits.microOps) micro-ops, which is the limit",
      at: tree.statement(index).span, index, hint: "use a smaller shape, or larger tiles",
      category: .limit)
    isStopped = true
    return false
  }

  /// Notes where the next micro-op of the core stands, if that is asked for.
  private mutating func note(_ index: Int) {
    if core < wanted.count, wanted[core].contains(positions[core]) {
      if lastNoted?.line != index { lastNoted = (index, source.location(tree.span(index))) }
      guard let own = lastNoted?.location else { return }
      let place = tree.statement(index).origin
      let origin = place < 0 ? nil : tree.origins[Int(place)]
      let location = origin.map {
        SourceLocation(file: tree.names[$0.file], line: Int($0.line), column: 1)
      }
      found[Finding.Site(core: core, op: positions[core])] = TextPlace(
        location: location ?? own, isGenerated: location != nil, textLine: own.line,
        iterations: iterations, callers: callers)
    }
  }

  mutating func operation(_ index: Int, _ statement: PlanStatement) {
    if !statement.waits.isEmpty { events(index, statement.waits, .wait) }
    guard !broken[index], admitOne(index) else { return }
    if task == .locate { note(index) }
    if task == .emit { emit(index, statement) }
    positions[core] += 1
    if !statement.sets.isEmpty { events(index, statement.sets, .set) }
  }

  /// The events before or after a micro-op, as far as their conditions hold.
  private mutating func events(_ index: Int, _ slice: TextSlice, _ kind: OpKind) {
    for place in slice.range {
      let operand = plan.operands[place]
      if operand.row.isThere {
        guard let condition = value(operand.row, index) else { return }
        if condition == 0 { continue }
      }
      guard let word = immediate(operand, index) else { return }
      synchronise(index, Event(packed: word), kind)
    }
  }

  // MARK: Emission

  private mutating func emit(_ index: Int, _ statement: PlanStatement) {
    let position = builder.position
    builder.line = Int32(truncatingIfNeeded: index)
    let number = Int(tree.lines[index].statement)
    if statement.isConstant, let known = settled.position(of: number) {
      let record = builder.record(at: known)
      if record.kind == .data { lastData[core] = position }
      return builder.append(record)
    }
    if let queue = statement.opaqueQueue { return emitOpaque(index, statement, on: queue) }
    var words = InlineArray<6, UInt32>(repeating: 0)
    var tiles = InlineArray<6, TileRef>(repeating: placeholder)
    var isTile: UInt8 = 0
    var key = TextMemoKey()
    let first = Int(statement.operands.first)
    let count = min(Int(statement.operands.count), OpRecord.maximumOperands)
    for k in 0..<count {
      if plan.operands[first + k].kind == .tile {
        guard let tile = tile(plan.operands[first + k], index) else { return }
        tiles[k] = tile
        isTile |= 1 << UInt8(k)
        key.append(tile, phase: builder.layout.burstPhase(tile))
      } else {
        guard let word = immediate(plan.operands[first + k], index) else { return }
        words[k] = word
        key.append(immediate: word)
      }
    }
    let known = memos.record(statement.opcode, key, index)
    var record = known?.record ?? completed(statement.opcode, words, tiles, isTile)
    var isLegal = known?.isLegal ?? true
    var isPlaced = true
    for k in 0..<count {
      guard isTile & 1 << UInt8(k) != 0 else {
        record.words[k] = words[k]
        continue
      }
      let said = builder.program.defects.count
      let (id, isSound) = builder.intern(tiles[k], at: position, opcode: statement.opcode)
      record.words[k] = id
      isPlaced = isPlaced && isSound
      if builder.program.defects.count > said {
        let fix = slotFix(plan.operands[first + k], tiles[k])
        if let fix { builder.sayFixOfSlot(fix) }
      }
    }
    if !isPlaced {
      record.work = 0
    } else if known == nil {
      isLegal = judge(&record, words, tiles, isTile, position)
      memos.keep(record, key, for: isLegal ? nil : index)
    }
    if record.kind == .data { lastData[core] = position }
    builder.append(record)
    // A micro-op beyond the limit has no place.
    if isPlaced, isLegal, builder.position > position {
      settled.keep(position, of: number)
    }
  }

  /// What to write for a slot that a buffer does not have.
  private func slotFix(_ operand: PlanOperand, _ tile: TileRef) -> String? {
    guard operand.slot.isNode else { return nil }
    let buffer = builder.layout.buffers[Int(tile.buffer)]
    let expression = tree.expressions[Int(operand.slot.node)]
    let text = source.text(expression.span)
    let isRotating = expression.kind == .remainder
    guard buffer.slots > 1, !isRotating else {
      return "declare \(buffer.name) with {slots=\(Int(tile.slot) + 1)} or more"
    }
    let isPlain = expression.kind == .name || expression.kind == .element
    return "write \(buffer.name)[\(isPlain ? text : "(\(text))") % \(buffer.slots)], or declare "
      + "\(buffer.name) with more slots"
  }

  /// A record whose tiles are named by their places among `tiles`.
  private func local(
    _ opcode: UInt8, _ words: InlineArray<6, UInt32>, _ isTile: UInt8
  ) -> OpRecord {
    let entry = catalogue[opcode]
    var record = OpRecord(opcode: opcode, queue: entry.queue, kind: entry.kind)
    for k in 0..<OpRecord.maximumOperands {
      record.words[k] = isTile & 1 << UInt8(k) != 0 ? UInt32(k) : words[k]
    }
    return record
  }

  /// A record with its queue and access.
  private func completed(
    _ opcode: UInt8, _ words: InlineArray<6, UInt32>, _ tiles: InlineArray<6, TileRef>,
    _ isTile: UInt8
  ) -> OpRecord {
    let record = local(opcode, words, isTile)
    return tiles.span.withUnsafeBufferPointer { pointer in
      pointer.baseAddress.map { catalogue[opcode].completed(record, $0) } ?? record
    }
  }

  /// Gives a record its work. Where it is not legal that is 0, and a defect is reported.
  private mutating func judge(
    _ record: inout OpRecord, _ words: InlineArray<6, UInt32>, _ tiles: InlineArray<6, TileRef>,
    _ isTile: UInt8, _ position: Int
  ) -> Bool {
    let entry = catalogue[record.opcode]
    let local = local(record.opcode, words, isTile)
    let layout = builder.layout
    let (wrong, work) = tiles.span.withUnsafeBufferPointer { pointer in
      pointer.baseAddress.map { entry.judged(local, $0, layout) } ?? (nil, .none)
    }
    if let wrong {
      record.work = 0
      builder.report(
        wrong, entry.operands, { tiles[$0] }, opcode: record.opcode, at: position)
      return false
    }
    builder.settle(&record, doing: work) { tiles[$0] }
    return true
  }

  mutating func immediate(_ operand: PlanOperand, _ index: Int) -> UInt32? {
    guard operand.slot.isThere else { return operand.word }
    switch operand.kind {
    case .scalar:
      guard isKnown(operand.slot.node, index) else { return nil }
      do throws(TextEvaluationFailure) {
        return Float(try plan.real(operand.slot.node, variables, lists)).bitPattern
      } catch {
        fail(error, at: operand.slot.node, index)
        return nil
      }
    case .choice: return value(operand.slot, index).map { $0 != 0 ? 1 : 0 }
    case .event:
      guard let id = value(operand.slot, index) else { return nil }
      guard let small = UInt16(exactly: id) else {
        fail(
          "found event ID \(id), needed 0 to 65535",
          at: span(operand.slot, index), index)
        return nil
      }
      return operand.word | UInt32(small)
    case .integer, .tile:
      guard let number = value(operand.slot, index) else { return nil }
      guard let word = Int32(exactly: number) else {
        fail(
          "found \(number), needed a number of 32 bits",
          at: span(operand.slot, index), index)
        return nil
      }
      return UInt32(bitPattern: word)
    }
  }

  /// The tile of an operand; its bounds are judged where it is interned.
  mutating func tile(_ operand: PlanOperand, _ index: Int) -> TileRef? {
    let key = plan.keys[Int(operand.key)]
    let id = key.space == .hbm ? hbm[Int(operand.key)] : buffers[core][Int(operand.key)]
    guard id >= 0 else {
      guard !brokenKeys.contains(operand.key) else {
        broken[index] = true
        return nil
      }
      fail(
        key.space == .hbm
          ? "'\(tree.names[key.name])' has no size here"
          : "core \(core) has no buffer '\(tree.names[key.name])' in \(key.space.name)",
        at: tree.statement(index).span, index,
        hint: "declare it in a .core block of this core, before its first use")
      return nil
    }
    let place = Int(id)
    var slot: Int32 = 0
    if operand.ring > 0 {
      let state = rings[core][Int(operand.ring) - 1]
      let turn = (operand.isProduced ? state.produced : state.consumed).current
      slot = Int32(truncatingIfNeeded: turn % max(1, state.slots))
    } else if operand.slot.isThere {
      guard let value = small(operand.slot, index) else { return nil }
      slot = value
    }
    // Parts of a buffer are taken one by one: all of it would take its name along.
    var tile = TileRef(
      buffer: UInt32(id), slot: slot, row: 0, column: 0,
      rows: Int32(clamping: builder.layout.buffers[place].rows),
      columns: Int32(clamping: builder.layout.buffers[place].columns), indexList: operand.list,
      format: builder.layout.buffers[place].format, axis: builder.layout.buffers[place].axis,
      space: key.space)
    if operand.row.isThere {
      guard let row = small(operand.row, index), let rows = small(operand.rows, index) else {
        return nil
      }
      tile.row = row
      tile.rows = rows
    }
    if operand.column.isThere {
      guard let column = small(operand.column, index), let columns = small(operand.columns, index)
      else { return nil }
      tile.column = column
      tile.columns = columns
    }
    return tile
  }

  /// A value of 32 bits.
  mutating func small(_ number: TextNumber, _ index: Int) -> Int32? {
    if let literal = number.literal { return Int32(truncatingIfNeeded: literal) }
    guard let value = value(number, index) else { return nil }
    guard let word = Int32(exactly: value) else {
      fail(
        "found \(value), needed a number of 32 bits", at: span(number, index), index)
      return nil
    }
    return word
  }

  // MARK: Taps

  mutating func tap(_ index: Int, _ statement: PlanStatement) {
    // Taps are no micro-ops, but each of them is kept.
    passes += 1
    guard passes <= limits.passes else {
      isStopped = true
      return fail(
        "found more than \(limits.passes) taps and passes of loops, which is the limit",
        at: tree.statement(index).span, index, hint: "use a smaller shape", category: .limit)
    }
    let target = plan.operands[Int(statement.operands.first)]
    let source = plan.operands[Int(statement.operands.first) + 1]
    guard !hasBrokenTaps else { return }
    guard lastData[core] >= 0 else {
      return fail(
        "found a tap before any micro-op of the core", at: tree.statement(index).span, index,
        hint: "a tap copies a tile after the last micro-op above it that works on values")
    }
    guard let tile = tile(source, index), Int(target.key) < builder.program.tapTensors.count else {
      return
    }
    var place = (slot: Int32(0), row: Int32(0), column: Int32(0))
    if target.slot.isThere {
      guard let slot = small(target.slot, index) else { return }
      place.slot = slot
    }
    if target.row.isThere {
      guard let row = small(target.row, index) else { return }
      place.row = row
    }
    if target.column.isThere {
      guard let column = small(target.column, index) else { return }
      place.column = column
    }
    guard isSame(target, tile, index) else { return }
    let tap = Tap(
      core: core, op: lastData[core], tile: tile, tensor: Int(target.key),
      slot: Int(place.slot), row: Int(place.row), column: Int(place.column))
    let wrong = tap.defect(
      into: builder.program.tapTensors[tap.tensor], builder.layout,
      named: builder.program.describe(tile))
    if let wrong {
      return fail(
        wrong, at: tree.statement(index).span, index, hint: Tap.remedy, category: .program)
    }
    builder.program.taps.append(tap)
  }

  /// Whether the rows and columns that a tap's target states are those of its tile.
  private mutating func isSame(_ target: PlanOperand, _ tile: TileRef, _ index: Int) -> Bool {
    let extents = [(target.rows, tile.rows, "rows"), (target.columns, tile.columns, "columns")]
    for (number, needed, words) in extents where number.isThere {
      guard let count = small(number, index) else { return false }
      guard count == needed else {
        fail(
          "found \(count) \(words), the tile has \(needed)",
          at: span(number, index), index, hint: "a tap copies the whole tile")
        return false
      }
    }
    return true
  }

  mutating func synchronise(_ index: Int, _ event: Event, _ kind: OpKind) {
    guard task != .count, event.source != event.target, admitOne(index) else { return }
    if task == .locate { note(index) }
    if task == .emit { builder.append(.synchronise(event, kind, scope: 0)) }
    positions[core] += 1
  }
}
