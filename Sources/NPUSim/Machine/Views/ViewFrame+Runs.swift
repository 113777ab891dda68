extension ViewFrame {
  /// Bytes that lie one beside the other, in the tensor and among the words of the view.
  struct Run {
    /// Among the scales.
    var isScale: Bool
    /// The first byte in the tensor.
    var place: Int
    /// The first byte among the words.
    var target: Int
    var count: Int
  }

  /// Scales of the words, in the order of its blocks.
  func scaleCount(_ form: TensorForm) -> Int {
    guard form.format == .mxint8 else { return 0 }
    return switch form.axis {
    case .alongColumns: slotCount * rowCount * Self.blocks(columns)
    case .alongRows: slotCount * Self.blocks(rowCount) * columns
    }
  }

  private static func blocks(_ elements: Int) -> Int {
    (elements + MXINT8.blockSize - 1) / MXINT8.blockSize
  }

  /// Calls `body` with the bytes of the view, row by row.
  func forEachRun(_ form: TensorForm, _ body: (Run) -> Void) {
    let size = form.format.bytes
    if isDense(form.elements) {
      body(Run(isScale: false, place: 0, target: 0, count: form.payloadBytes))
      if form.scaleBytes > 0 {
        body(Run(isScale: true, place: 0, target: 0, count: form.scaleBytes))
      }
      return
    }
    let height = rowCount
    for slot in 0..<slotCount {
      for row in 0..<height {
        let line = slot * height + row
        body(
          Run(
            isScale: false, place: start(slot: slot, row: row) * size,
            target: line * columns * size, count: columns * size))
      }
      if form.format == .mxint8 { forEachScaleRun(form, slot: slot, body) }
    }
  }

  private func forEachScaleRun(_ form: TensorForm, slot: Int, _ body: (Run) -> Void) {
    let isAcross = form.axis == .alongColumns
    let lines = isAcross ? rowCount : Self.blocks(rowCount)
    let width = isAcross ? Self.blocks(columns) : columns
    for line in 0..<lines {
      let row = isAcross ? line : line * MXINT8.blockSize
      body(
        Run(
          isScale: true, place: form.scale(of: start(slot: slot, row: row)),
          target: (slot * lines + line) * width, count: width))
    }
  }
}

extension TensorView {
  /// The view by its last two dimensions.
  func frame(of name: String) throws(NPUError) -> ViewFrame {
    let columns = dimensions.last?.count ?? 1
    let rows = dimensions.count > 1 ? dimensions[dimensions.count - 2].count : 1
    return try frame(slots: elements / (rows * columns), rows: rows, columns: columns, of: name)
  }
}
