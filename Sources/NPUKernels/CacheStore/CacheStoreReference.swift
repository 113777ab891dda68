import NPUSim

// MARK: Algorithm

/// The pure reference of ``CacheStore``: one unit is a row, or a block of rows.
struct CacheStoreReference: KernelReference {
  private let kernel: CacheStore
  private let x: InputRows

  init(_ kernel: CacheStore, _ inputs: [String: TensorValue]) throws(NPUError) {
    self.kernel = kernel
    x = try InputRows("x", columns: kernel.columns, inputs)
  }

  /// Section 2 of the numerics, block by block; rows that are not there are zeros.
  func evaluate(unit index: Int) -> ReferenceUnit {
    kernel.fillsBlocks ? block(index) : row(index)
  }

  private func row(_ index: Int) -> ReferenceUnit {
    let start = index * kernel.columns
    let values = x[index].map { Traced($0) }
    var unit = ReferenceUnit()
    guard kernel.format == .mxint8 else {
      // As it is, NaNs included.
      unit.words = [ReferenceSlice("out", start: start, bytes: x.bytes(index))]
      unit.errors = [ErrorSlice("out", start: start, values)]
      return unit
    }
    let (elements, row) = ProductRow(encoding: values).settled()
    unit.add("out", start: start, row, elements, width: kernel.columns)
    return unit
  }

  private func block(_ index: Int) -> ReferenceUnit {
    let (rows, width, size) = (kernel.rows, kernel.columns, MXINT8.blockSize)
    let blocks = MXINT8.blocks(rows)
    let (slot, first) = (index / blocks, index % blocks * size)
    let values = (first..<first + size).map { row in
      row < rows ? x[slot * rows + row] : [Float](repeating: 0, count: width)
    }
    var payload = [UInt8](repeating: 0, count: size * width)
    var elements = [Traced](repeating: Traced(0), count: size * width)
    var scales: [UInt8] = []
    for column in 0..<width {
      let (decoded, line) = ProductRow(encoding: values.map { Traced($0[column]) }).settled()
      scales += line.scales
      for row in 0..<size {
        payload[row * width + column] = UInt8(bitPattern: line.payload[row])
        elements[row * width + column] = decoded[row]
      }
    }
    let start = index * size * width
    var unit = ReferenceUnit()
    unit.words = [
      ReferenceSlice("out", start: start, bytes: payload),
      ReferenceSlice("out.scale", start: index * width, bytes: scales),
    ]
    unit.errors = [
      ErrorSlice(
        "out", start: start, elements,
        scaling: ErrorSlice.Scaling(
          tensor: "out.scale", width: width, block: size, isAlongRows: true))
    ]
    return unit
  }
}
