extension TextResolver {
  /// `tap TENSOR[rows, columns] <- tile {space=ub}`; the memory only where the name alone is not clear.
  mutating func tap(_ statement: TextStatement, _ index: Int) {
    let first = plan.operands.count
    let events = statement.waits.isEmpty ? statement.sets : statement.waits
    if let event = events.range.first {
      errors.add("a tap has no events", at: tree.operands[event].span)
    }
    defer {
      plan.statements[index].operands = TextSlice(
        first: Int32(first), count: Int32(plan.operands.count - first))
    }
    let operands = statement.operands.range
    guard operands.count == 2, statement.destinations == 1,
      tree.operands[operands].allSatisfy({ $0.kind == .tile })
    else {
      errors.add(
        "found \(operands.count) operands, needed a tensor that .tap declares and a tile",
        at: statement.span, hint: "write tap tensor[rows, columns] <- tile")
      return
    }
    let tensor = tree.operands[operands.lowerBound]
    let tile = tree.operands[operands.lowerBound + 1]
    var target = PlanOperand(kind: .tile)
    if let tap = taps[tensor.name] {
      target.key = Int32(tap)
    } else {
      errors.add(
        "there is no tap tensor '\(text(tensor.name))'", at: tensor.nameSpan,
        hint: DidYouMean.hint(for: text(tensor.name), among: taps.keys.map(text).sorted()))
    }
    if tensor.hasList {
      errors.add("the rows of a tap come from no list", at: tensor.otherSpan)
    }
    place(&target, tensor)
    plan.operands.append(target)
    copied(tile, in: space(statement))
  }

  /// The tile that a tap copies.
  private mutating func copied(_ tile: TextOperand, in wanted: Space?) {
    var source = PlanOperand(kind: .tile)
    var found: [Int32] = []
    var key = Int(tile.name) < lastKeys.count ? lastKeys[Int(tile.name)] : -1
    while key >= 0 {
      if wanted == nil || plan.keys[Int(key)].space == wanted { found.append(key) }
      key = plan.keys[Int(key)].namesake
    }
    if found.count == 1 {
      source.key = found[0]
      if let holder = held.last(where: { $0.ring >= 0 && plan.rings[$0.ring].key == source.key }),
        !tile.slot.isThere
      {
        source.ring = Int32(holder.ring + 1)
        source.isProduced = holder.isProduced
      }
    } else if !misplaced.contains(tile.name) {
      errors.add(
        found.isEmpty
          ? "there is no buffer '\(text(tile.name))'"
          : "'\(text(tile.name))' stands for buffers in several memories",
        at: tile.nameSpan,
        hint: found.isEmpty ? "declare it before its first use" : "add the memory: {space=ub}")
    }
    place(&source, tile)
    plan.operands.append(source)
  }

  /// The memory that a tap states.
  private mutating func space(_ statement: TextStatement) -> Space? {
    for entry in statement.attributes.range {
      let attribute = tree.attributes[entry]
      if text(attribute.name) == "space", attribute.value.isNode,
        let space = Space(name: text(tree.expressions[Int(attribute.value.node)].name)),
        tree.expressions[Int(attribute.value.node)].kind == .name
      {
        return space
      }
      errors.add(
        "found '\(source.text(attribute.nameSpan))', needed space and a memory",
        at: attribute.nameSpan, hint: "write {space=ub}")
    }
    return nil
  }
}
