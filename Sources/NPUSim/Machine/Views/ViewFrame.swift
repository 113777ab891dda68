/// A view as slots of rows of columns, as tiles are cut from it: columns lie one beside the other in
/// the tensor, rows and slots are counted through dimensions of their own.
public struct ViewFrame: Sendable, Hashable {
  public typealias Dimension = TensorView.Dimension

  /// Elements of the tensor before the first one.
  let first: Int
  /// What a slot and a row are counted through, outermost first; steps that go on are one dimension.
  let slots: [Dimension]
  let rows: [Dimension]
  let columns: Int

  var slotCount: Int { slots.reduce(1) { $0 * $1.count } }
  var rowCount: Int { rows.reduce(1) { $0 * $1.count } }

  /// The element of the tensor at which a row begins.
  func start(slot: Int, row: Int) -> Int {
    first + Self.offset(slot, slots) + Self.offset(row, rows)
  }

  private static func offset(_ index: Int, _ dimensions: [Dimension]) -> Int {
    var (rest, sum) = (index, 0)
    for dimension in dimensions.reversed() {
      sum += rest % dimension.count * dimension.step
      rest /= dimension.count
    }
    return sum
  }

  /// Whether it is so many elements from the first on, in their order.
  func isDense(_ elements: Int) -> Bool {
    var run = columns
    for dimension in (slots + rows).reversed() {
      guard dimension.step == run else { return false }
      run *= dimension.count
    }
    return first == 0 && run == elements
  }

  /// The same with the columns of `count` slots that follow one another as one row: slot s has those of the
  /// slots count · s on. `nil` where they do not lie side by side.
  func sideBySide(_ count: Int) -> ViewFrame? {
    guard let inner = slots.last, inner.step == columns, count > 1, inner.count % count == 0 else {
      return nil
    }
    var outer = Array(slots.dropLast())
    if inner.count > count {
      outer.append(Dimension(count: inner.count / count, step: inner.step * count))
    }
    return ViewFrame(first: first, slots: outer, rows: rows, columns: columns * count)
  }

  private init(first: Int, slots: [Dimension], rows: [Dimension], columns: Int) {
    (self.first, self.slots, self.rows, self.columns) = (first, slots, rows, columns)
  }

  /// Why the dimensions of a view cannot be counted as slots, rows and columns, or blocks of MXINT8
  /// would be taken apart.
  struct Refusal: Error {
    var why: String

    init(_ why: String) { self.why = why }
  }

  /// Throws where there is no such frame.
  init(_ view: TensorView, slots: Int, rows: Int, columns: Int) throws(Refusal) {
    first = view.first
    var left = Self.merged(view.dimensions)
    guard let line = Self.take(columns, from: &left), line.isEmpty || line.map(\.step) == [1] else {
      throw Refusal("the \(columns) elements of a row do not lie one beside the other")
    }
    guard let rows = Self.take(rows, from: &left), let slots = Self.take(slots, from: &left),
      left.isEmpty
    else {
      throw Refusal("its dimensions \(view.shape) do not divide into them")
    }
    (self.slots, self.rows, self.columns) = (slots, rows, columns)
    if view.form.format == .mxint8, let fault = blockFault(view.form) { throw Refusal(fault) }
  }

  /// The innermost `count` elements, as few dimensions as they take; `nil` where they end within one
  /// that does not divide.
  private static func take(_ count: Int, from dimensions: inout [Dimension]) -> [Dimension]? {
    var (left, taken) = (count, [Dimension]())
    while left > 1 {
      guard let inner = dimensions.popLast() else { return nil }
      if left % inner.count == 0 {
        taken.append(inner)
        left /= inner.count
      } else if inner.count % left == 0 {
        dimensions.append(Dimension(count: inner.count / left, step: inner.step * left))
        taken.append(Dimension(count: left, step: inner.step))
        left = 1
      } else {
        return nil
      }
    }
    return merged(taken.reversed())
  }

  /// The same without dimensions of one element, those that go on in one another as one.
  private static func merged(_ dimensions: [Dimension]) -> [Dimension] {
    var result: [Dimension] = []
    for inner in dimensions where inner.count != 1 {
      if let outer = result.last, outer.step == inner.count * inner.step {
        result[result.count - 1] = Dimension(count: outer.count * inner.count, step: inner.step)
      } else {
        result.append(inner)
      }
    }
    return result
  }

  // MARK: Blocks

  private func blockFault(_ form: TensorForm) -> String? {
    switch form.axis {
    case .alongColumns: faultAlongColumns(form)
    case .alongRows: faultAlongRows(form)
    }
  }

  private static let inPart = "it begins or ends within a block of 32"

  /// Blocks lie in the order of the elements only where rows are whole blocks; otherwise a row of the
  /// view has to be in a row of the tensor.
  private func faultAlongColumns(_ form: TensorForm) -> String? {
    let block = MXINT8.blockSize
    let isEven = form.columns % block == 0
    let column = first % form.columns
    let unit = isEven ? block : form.columns
    guard column % block == 0, (slots + rows).allSatisfy({ $0.step % unit == 0 }) else {
      return Self.inPart
    }
    let end = column + columns
    let isWhole = columns % block == 0 && (isEven || end <= form.columns)
    return isWhole || end == form.columns ? nil : Self.inPart
  }

  /// The rows of a slot are those along which blocks run.
  private func faultAlongRows(_ form: TensorForm) -> String? {
    let block = MXINT8.blockSize
    let (height, width) = (form.rows, form.columns)
    guard rows.isEmpty || rows.map(\.step) == [width] else {
      return "blocks run along other rows than its own"
    }
    let row = first / width % height
    guard row % block == 0 else { return Self.inPart }
    var reach = first % width + columns
    var movesRows = false
    for slot in slots where slot.step % (height * width) != 0 {
      if slot.step < width {
        reach += (slot.count - 1) * slot.step
      } else if slot.step % (block * width) == 0 {
        movesRows = true
      } else {
        return Self.inPart
      }
    }
    guard reach <= width else { return "its columns are not columns of the tensor" }
    return rowCount % block == 0 || row + rowCount == height && !movesRows ? nil : Self.inPart
  }
}

extension TensorView {
  /// The view as slots of rows of columns.
  ///
  /// Throws `.tensor` where it has another number of elements, where the elements of a row do not lie
  /// one beside the other, and where blocks of MXINT8 would be taken apart; `name` says of what.
  public func frame(
    slots: Int, rows: Int, columns: Int, of name: String
  ) throws(NPUError) -> ViewFrame {
    do throws(ViewFrame.Refusal) {
      return try ViewFrame(self, slots: slots, rows: rows, columns: columns)
    } catch {
      throw NPUError(
        .tensor,
        "\(name): found a view of shape \(shape) of \(form), needed \(slots) × \(rows) × \(columns) "
          + "elements: \(error.why)",
        hint: "bind another window or order of the dimensions, or a tensor of its own")
    }
  }
}
