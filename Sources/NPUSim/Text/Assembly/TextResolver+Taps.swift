extension TextResolver {
  /// `tap TENSOR[rows, columns] <- tile {space=ub}`; the memory only where the name alone is not clear.
  mutating func tap(_ statement: TextStatement, _ index: Int) {
    let first = plan.operands.count
    if let event = (Array(statement.waits.range) + statement.sets.range).first {
      errors.add("a tap has no events", at: tree.operands[event].span)
    }
    defer {
      plan.statements[index].operands = TextSlice(
        first: Int32(first), count: Int32(plan.operands.count - first))
    }
    let operands = statement.operands.range.map { tree.operands[$0] }
    guard operands.count == 2, statement.destinations == 1,
      operands.allSatisfy({ $0.kind == .tile })
    else {
      errors.add(
        "found \(operands.count) operands, needed a tensor that .tap declares and a tile",
        at: statement.span, hint: "write tap tensor[rows, columns] <- tile")
      return
    }
    var target = PlanOperand(kind: .tile)
    if let tap = taps[operands[0].name] {
      target.key = Int32(tap)
    } else {
      errors.add(
        "there is no tap tensor '\(text(operands[0].name))'", at: operands[0].nameSpan,
        hint: DidYouMean.hint(for: text(operands[0].name), among: taps.keys.map(text).sorted()))
    }
    if operands[0].hasList {
      errors.add("the rows of a tap come from no list", at: operands[0].otherSpan)
    }
    place(&target, operands[0])
    plan.operands.append(target)

    var source = PlanOperand(kind: .tile)
    let wanted = space(statement)
    let found = plan.keys.indices.filter {
      plan.keys[$0].name == operands[1].name && (wanted == nil || plan.keys[$0].space == wanted)
    }
    if found.count == 1 {
      source.key = Int32(found[0])
      if let holder = held.last(where: { $0.ring >= 0 && plan.rings[$0.ring].key == source.key }),
        !operands[1].slot.isThere
      {
        source.ring = Int32(holder.ring + 1)
        source.isProduced = holder.isProduced
      }
    } else if !misplaced.contains(operands[1].name) {
      errors.add(
        found.isEmpty
          ? "there is no buffer '\(text(operands[1].name))'"
          : "'\(text(operands[1].name))' stands for buffers in several memories",
        at: operands[1].nameSpan,
        hint: found.isEmpty ? "declare it before its first use" : "add the memory: {space=ub}")
    }
    place(&source, operands[1])
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
