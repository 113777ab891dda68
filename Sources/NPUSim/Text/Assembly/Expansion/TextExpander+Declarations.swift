extension TextExpander {
  /// Declares a tensor, a buffer, a tap tensor or an index list.
  mutating func declare(_ index: Int, _ statement: PlanStatement) {
    let text = tree.statement(index)
    settled.forget()
    if statement.kind == .index { return indexList(index, statement, text) }
    if statement.kind == .table {
      lists[Int(statement.key)] = values(text, index)
      return
    }
    let details = tree.declaration(of: text)
    var dimensions: [Int] = []
    for entry in details.dimensions.range {
      guard let dimension = dimension(tree.lists[entry], index) else { return }
      dimensions.append(dimension)
    }
    guard let format = format(text), var stated = stated(text, dimensions, index) else { return }
    let rows = dimensions.count > 1 ? dimensions[dimensions.count - 2] : 1
    let columns = dimensions.last ?? 1
    if statement.kind != .buffer {
      guard let leading = Self.product(Array(dimensions.dropLast(2))) else {
        return tooLarge(text, index)
      }
      stated.slots = leading
    }
    // Even with every row padded, all buffers together can then be addressed.
    guard let lines = Self.product([stated.slots, rows]), lines <= Self.largestSize,
      columns <= Self.largestSize, Self.product([lines, columns]) ?? .max <= Self.largestSize,
      builder.program.buffers.count < Self.mostBuffers, stated.address ?? 0 <= Self.largestSize
    else { return tooLarge(text, index) }
    do throws(NPUError) {
      try add(
        statement, text, index,
        TextTensor(
          name: tree.names[text.name], format: format, shape: stated.shape, axis: stated.axis,
          role: TextTensor.Role(statement.kind), aliases: stated.aliases),
        stated, rows: rows, columns: columns)
    } catch {
      fail(error.message, at: text.span, index, hint: error.hint, category: error.category)
    }
  }

  /// What stands in the braces of a declaration.
  private struct Stated {
    var axis = BlockAxis.alongColumns
    var slots = 1
    var ahead = 0
    var address: Int?
    var shape: [Int]
    var aliases: [String] = []
  }

  /// The attributes of a declaration; `nil` after an error.
  private mutating func stated(
    _ text: TextStatement, _ dimensions: [Int], _ index: Int
  ) -> Stated? {
    var stated = Stated(shape: dimensions)
    for entry in text.attributes.range {
      let attribute = tree.attributes[entry]
      switch tree.names[attribute.name] {
      case "blocks":
        let word = tree.names[tree.expressions[Int(attribute.value.node)].name]
        stated.axis = word == "rows" ? .alongRows : .alongColumns
      case "slots":
        guard let count = dimension(attribute.value, index) else { return nil }
        stated.slots = count
      case "ahead":
        guard let count = dimension(attribute.value, index) else { return nil }
        stated.ahead = count
      case "at":
        guard let place = dimension(attribute.value, index) else { return nil }
        stated.address = place
      case "aliases":
        stated.aliases = attribute.list.range.map {
          tree.names[tree.expressions[Int(tree.lists[$0].node)].name]
        }
      default:
        stated.shape = []
        for part in attribute.list.range {
          guard let dimension = dimension(tree.lists[part], index) else { return nil }
          stated.shape.append(dimension)
        }
        guard Self.product(stated.shape) == Self.product(dimensions) else {
          fail(
            "shape \(stated.shape) has another number of elements than \(dimensions)",
            at: attribute.nameSpan, index, hint: "the shape is the tensor's in files")
          return nil
        }
      }
    }
    guard stated.ahead == 0 || stated.ahead < stated.slots else {
      failToRun(stated.ahead, slots: stated.slots, text, index)
      return nil
    }
    return stated
  }

  /// Most elements of a buffer, and most buffers of a program.
  private static let largestSize = 1 << 40
  private static let mostBuffers = 1 << 12

  private mutating func tooLarge(_ text: TextStatement, _ index: Int) {
    fail(
      "found more than 2^40 elements, or more than \(Self.mostBuffers) buffers", at: text.span,
      index, hint: "use a smaller shape", category: .limit)
  }

  /// A ring is to run further ahead than it has slots for.
  private mutating func failToRun(_ ahead: Int, slots: Int, _ text: TextStatement, _ index: Int) {
    let name = tree.names[text.name]
    fail(
      "found ahead=\(ahead), and \(name) has \(slots == 1 ? "1 slot" : "\(slots) slots")",
      at: text.span, index,
      hint: "a slot that is not used up yet cannot be filled: give it slots=\(ahead + 1) or more, "
        + "or let it run at most \(max(0, slots - 1)) ahead")
  }

  /// The elements of a shape, where they can be counted.
  private static func product(_ dimensions: [Int]) -> Int? {
    var result = 1
    for dimension in dimensions {
      let (product, overflow) = result.multipliedReportingOverflow(by: dimension)
      if overflow { return nil }
      result = product
    }
    return result
  }

  private mutating func add(
    _ statement: PlanStatement, _ text: TextStatement, _ index: Int, _ tensor: TextTensor,
    _ stated: Stated, rows: Int, columns: Int
  ) throws(NPUError) {
    let name = tensor.name
    let slots = stated.slots
    switch statement.kind {
    case .buffer:
      guard buffers[core][Int(statement.key)] < 0 else {
        return fail(
          "core \(core) already has a buffer '\(name)' in this memory", at: text.nameSpan, index,
          hint: "rename one of them")
      }
      let space = plan.keys[Int(statement.key)].space
      buffers[core][Int(statement.key)] = Int32(
        try builder.place(
          PlannedBuffer(
            name, space, tensor.format, slots: slots, rows: rows, columns: columns,
            axis: tensor.axis), at: stated.address))
      startRings(Int(statement.key), slots: slots, ahead: stated.ahead)
    case .tapTensor:
      _ = try builder.tapTensor(
        name, tensor.format, slots: slots, rows: rows, columns: columns, axis: tensor.axis)
      tensors.append(tensor)
    default:
      let role: Buffer.Role =
        switch statement.kind {
        case .input: .input
        case .output: .output
        case .update: .inputOutput
        default: .scratch
        }
      let handle = try builder.tensor(
        name, tensor.format, slots: slots, rows: rows, columns: columns, axis: tensor.axis,
        role: role)
      hbm[Int(statement.key)] = Int32(handle.id)
      tensors.append(tensor)
    }
  }

  private mutating func format(_ statement: TextStatement) -> ElementFormat? {
    let word = tree.names[tree.declaration(of: statement).format]
    if word == "acc" { return builder.machine.matrix.accumulator.format }
    return ElementFormat(name: word)
  }

  /// A dimension, a number of slots or an address.
  private mutating func dimension(_ number: TextNumber, _ index: Int) -> Int? {
    guard let value = value(number, index) else { return nil }
    // Tiles count rows and columns in 32 bits, addresses go further.
    guard value >= 0, value <= Int64(1) << 56 else {
      fail(
        "found \(value), needed a number from 0 to 2^56",
        at: span(number, index), index)
      return nil
    }
    return Int(value)
  }

  private mutating func indexList(
    _ index: Int, _ statement: PlanStatement, _ text: TextStatement
  ) {
    let details = tree.declaration(of: text)
    var shape: [Int] = []
    for entry in details.dimensions.range {
      guard let dimension = dimension(tree.lists[entry], index) else { return }
      shape.append(dimension)
    }
    guard !shape.isEmpty, let count = Self.product(shape), count <= 1 << 24 else {
      return fail(
        shape.isEmpty
          ? "an index list has one dimension or more"
          : "found \(shape) indices, the limit is \(1 << 24)", at: text.span, index,
        category: shape.isEmpty ? .parse : .limit)
    }
    let name = tree.names[text.name]
    var values = details.hasValues ? [] : (0..<Int32(count)).map { $0 }
    if details.hasValues {
      guard let stated = self.values(text, index) else { return }
      values = stated
    }
    if let given = given[name], given != values {
      guard plan.lists[Int(statement.key)].isUsed else {
        return fail(
          "no line takes its rows from \(name): the program was made for the values that stand here, "
            + "and the inputs give others", at: text.nameSpan, index,
          hint: "leave \(name) out of the inputs, or print the program for them", category: .tensor)
      }
      values = given
    }
    guard values.count == count else {
      return fail(
        "\(name) has \(values.count) values, needed \(count)", at: text.span, index,
        hint: "correct the dimension or the list")
    }
    lists[Int(statement.key)] = values
    if task == .emit { builder.indexList(values, named: name, shape: shape) }
    tensors.append(
      TextTensor(name: name, format: .i32, shape: shape, axis: .alongColumns, role: .index))
  }

  /// The values that an index list or table states; `nil` after an error.
  private mutating func values(_ text: TextStatement, _ index: Int) -> [Int32]? {
    var values: [Int32] = []
    let stated = tree.declaration(of: text).values
    values.reserveCapacity(Int(stated.count))
    for entry in stated.range {
      guard let value = value(tree.lists[entry], index) else { return nil }
      guard let word = Int32(exactly: value) else {
        fail(
          "found \(value), needed 32 bits", at: span(tree.lists[entry], index), index)
        return nil
      }
      values.append(word)
    }
    return values
  }
}
