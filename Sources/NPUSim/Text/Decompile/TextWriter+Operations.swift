extension TextWriter {
  // MARK: Micro-ops

  mutating func operation(_ node: RollNode, _ view: RollView) {
    guard let leaf = view.pool.sample(node.turns) else { return }
    let record = program.cores[Int(leaf.core)][Int(leaf.payload)]
    let entry = program.catalogue[record.opcode]
    let mnemonic = entry.mnemonic
    var statement = TextStatement(kind: .operation, span: .none)
    statement.name = tree.names.id(
      mnemonic.hasPrefix("sync.") ? String(mnemonic.dropFirst(5)) : mnemonic)
    if entry.isOpaque {
      var details = TextDeclaration()
      details.space = tree.names.id(record.queue.name)
      details.format = tree.names.id(program.ownName(record))
      tree.declare(details, by: &statement)
    }
    let parts = parts(of: record, entry, node, view)
    let first = tree.operands.count
    tree.operands += parts.written
    if !parts.read.isEmpty { statement.destinations = Int16(parts.written.count) }
    tree.operands += parts.read
    statement.operands = slice(first, tree.operands.count)
    let firstAttribute = tree.attributes.count
    for other in parts.attributes { attribute(other.name, other.value) }
    statement.attributes = slice(firstAttribute, tree.attributes.count)
    statement.waits = events(node, view, isSet: false)
    statement.sets = events(node, view, isSet: true)
    if let place = origins?[Int(leaf.core), Int(leaf.payload)], place != .none,
      let file = origins?.files[Int(place.file)]
    {
      tree.place(TextOrigin(file: tree.names.id(file), line: place.line), of: &statement)
    }
    tree.statements.append(statement)
  }

  /// The operands of a statement, and what stands in its braces.
  private struct Parts {
    var written: [TextOperand] = []
    var read: [TextOperand] = []
    var attributes: [(name: String, value: Int32)] = []

    mutating func append(_ operand: TextOperand, isWritten: Bool) {
      if isWritten { written.append(operand) } else { read.append(operand) }
    }
  }

  private mutating func parts(
    of record: OpRecord, _ entry: OpEntry, _ node: RollNode, _ view: RollView
  ) -> Parts {
    let numbers = view.forms(node, view.isOpen)
    var parts = Parts()
    var next = 0
    let operands = program.operands(of: record)
    for (k, operand) in operands.enumerated() where k < OpRecord.maximumOperands {
      let word = record.words[k]
      switch operand.kind {
      case .tile(_, let access):
        var operand = tile(program.tiles[Int(word)], numbers[next..<(next + 5)])
        if entry.isOpaque { nameMemory(of: &operand, program.tiles[Int(word)]) }
        next += 5
        parts.append(operand, isWritten: access.contains(.write))
      case .scalar:
        let isWhole = ProgramLifter.wholeNumber(word) != nil
        let value = isWhole ? scalar(numbers[next]) : scalar(Float(bitPattern: word))
        parts.attributes.append((operand.name, value))
        if isWhole { next += 1 }
      case .integer:
        let number = expression(numbers[next])
        // Without tiles, operands stand in order.
        if entry.hasTiles {
          parts.attributes.append((operand.name, number))
        } else {
          parts.written.append(value(number))
        }
        next += 1
      case .choice(let words):
        if words == Bool.choices {
          let flag = view.flag(node, next, view.isOpen)
          if flag != nil || !operand.isOptional {
            parts.attributes.append((operand.name, self.flag(flag, words)))
          }
          next += 1
        } else if word != 0 || !operand.isOptional {
          parts.attributes.append((operand.name, choice(words, Int(word))))
        }
      case .event:
        parts.written.append(event(Event(packed: word), numbers[next]))
        next += 1
      }
    }
    if entry.isOpaque {
      parts.attributes.append(("cycles", expression(numbers[next])))
      if numbers[next + 1] != .constant(0) {
        parts.attributes.append(("latency", expression(numbers[next + 1])))
      }
      if program.works[Int(record.work)].streams {
        parts.attributes.append(("stream", choice(Bool.choices, 1)))
      }
    }
    if !entry.hasTiles {
      parts.written += parts.attributes.map { value($0.value) }
      parts.attributes = []
    }
    return parts
  }

  /// The waits of a micro-op, or its sets.
  private mutating func events(_ node: RollNode, _ view: RollView, isSet: Bool) -> TextSlice {
    let forms = view.events(node, view.isOpen, isSet: isSet)
    var operands: [TextOperand] = []
    for form in forms {
      var operand = TextOperand(kind: .event, span: .none)
      operand.name = tree.names.id((isSet ? form.target : form.source).name)
      operand.slot = self.operand(form.id)
      if form.condition != .always { operand.row = TextNumber(node: condition(form.condition)) }
      operands.append(operand)
    }
    let first = tree.operands.count
    tree.operands += operands
    return slice(first, tree.operands.count)
  }

  mutating func tap(_ node: RollNode, _ view: RollView) {
    guard let leaf = view.pool.sample(node.turns) else { return }
    let tap = program.taps[Int(leaf.payload)]
    let numbers = view.forms(node, view.isOpen)
    let target = program.tapTensors[tap.tensor]
    var statement = TextStatement(kind: .tap, span: .none)
    statement.name = tree.names.id("tap")
    var operand = TextOperand(kind: .tile, span: .none)
    operand.name = tree.names.id(target.name)
    if target.slots != 1 || numbers[0] != .constant(0) { operand.slot = self.operand(numbers[0]) }
    operand.hasRegion = true
    operand.row = self.operand(numbers[1])
    operand.rows = self.operand(numbers[5])
    operand.column = self.operand(numbers[2])
    operand.columns = self.operand(numbers[7])
    let source = tile(tap.tile, numbers[3..<8])
    let first = tree.operands.count
    tree.operands += [operand, source]
    statement.destinations = 1
    statement.operands = slice(first, tree.operands.count)
    let name = program.buffers[Int(tap.tile.buffer)].name
    let namesakes = program.buffers.filter { $0.name == name }
    if Set(namesakes.map(\.space)).count > 1 {
      let firstAttribute = tree.attributes.count
      let word = tree.names.id(tap.tile.space.name)
      attribute("space", add(TextExpression(kind: .name, name: word, span: .none)))
      statement.attributes = slice(firstAttribute, tree.attributes.count)
    }
    tree.statements.append(statement)
  }

  // MARK: Operands

  private mutating func tile(_ tile: TileRef, _ numbers: ArraySlice<RollForm>) -> TextOperand {
    let buffer = program.buffers[Int(tile.buffer)]
    let numbers = Array(numbers)
    var operand = TextOperand(kind: .tile, span: .none)
    operand.name = tree.names.id(buffer.name)
    if buffer.slots != 1 || numbers[0] != .constant(0) { operand.slot = self.operand(numbers[0]) }
    let allRows =
      numbers[1] == .constant(0) && numbers[2] == .constant(buffer.rows) && tile.indexList == 0
    let allColumns = numbers[3] == .constant(0) && numbers[4] == .constant(buffer.columns)
    if allRows && allColumns { return operand }
    operand.hasRegion = true
    if tile.indexList > 0 {
      operand.hasList = true
      operand.other = listName(tile.indexList)
    }
    if !allRows {
      operand.row = self.operand(numbers[1])
      operand.rows = self.operand(numbers[2])
    }
    if !allColumns {
      operand.column = self.operand(numbers[3])
      operand.columns = self.operand(numbers[4])
    }
    return operand
  }

  /// States the memory of a tile of an opaque micro-op, where its name alone is not clear.
  private mutating func nameMemory(of operand: inout TextOperand, _ tile: TileRef) {
    if sharedNames.contains(program.buffers[Int(tile.buffer)].name) {
      operand.memory = tree.names.id(tile.space.name)
    }
  }

  private func value(_ node: Int32) -> TextOperand {
    var operand = TextOperand(kind: .value, span: .none)
    operand.slot = TextNumber(node: node)
    return operand
  }

  private mutating func event(_ event: Event, _ id: RollForm) -> TextOperand {
    var operand = TextOperand(kind: .event, span: .none)
    operand.name = tree.names.id(event.source.name)
    operand.other = tree.names.id(event.target.name)
    operand.slot = self.operand(id)
    return operand
  }
}
