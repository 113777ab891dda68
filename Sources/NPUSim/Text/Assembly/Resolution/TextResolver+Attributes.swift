extension TextResolver {
  /// Judges the attributes of a tensor or a buffer.
  mutating func declarationAttributes(_ statement: TextStatement) {
    let isBuffer = statement.kind == .buffer
    let known = isBuffer ? ["slots", "ahead", "blocks", "at"] : ["blocks", "shape", "aliases"]
    var seen: Set<UInt32> = []
    for entry in statement.attributes.range {
      let attribute = tree.attributes[entry]
      let name = text(attribute.name)
      if !seen.insert(attribute.name).inserted {
        errors.add("\(name) is given twice", at: attribute.nameSpan, hint: "keep one of them")
      }
      switch name {
      case "slots" where isBuffer && attribute.value.isThere,
        "at" where isBuffer && attribute.value.isThere:
        whole(attribute.value)
      case "ahead" where isBuffer && attribute.value.isThere:
        whole(attribute.value)
        aheads.append((statement.name, attribute.nameSpan))
      case "shape" where !isBuffer && !attribute.value.isThere:
        for dimension in attribute.list.range { whole(tree.lists[dimension]) }
      case "aliases" where !isBuffer && !attribute.value.isThere:
        for entry in attribute.list.range { requireName(tree.lists[entry], attribute.nameSpan) }
      case "blocks" where attribute.value.isNode:
        let word = tree.expressions[Int(attribute.value.node)]
        if word.kind != .name || !["rows", "columns"].contains(text(word.name)) {
          errors.add(
            "blocks needs rows or columns", at: word.span,
            hint: "blocks=columns: 32 elements of a row share a scale; blocks=rows: of a column")
        }
      default:
        errors.add(
          known.contains(name)
            ? "\(name) needs \(Self.needs[name] ?? "a value")"
            : "there is no attribute '\(name)' here", at: attribute.nameSpan,
          hint: DidYouMean.hint(for: name, among: known))
      }
    }
  }

  /// What attributes need that do not take one value.
  private static let needs = ["shape": "a list of dimensions", "aliases": "a list of names"]

  /// Requires a name that stands for itself.
  private mutating func requireName(_ entry: TextNumber, _ list: TextSpan) {
    guard entry.isNode, tree.expressions[Int(entry.node)].kind == .name else {
      return errors.add(
        "aliases needs names", at: span(entry, list), hint: "for example aliases=[cache]")
    }
  }
}
