extension Datapath {
  /// Fills a row of `count` values from a row and first column of a tile.
  typealias RowLoader = (
    _ datapath: inout Datapath, _ values: UnsafeMutablePointer<Float>, _ row: Int, _ column: Int,
    _ count: Int
  ) -> Void

  /// Encodes a tile in MXINT8 from the values that `load` gives, in runs that begin at multiples of
  /// ``Datapath/chunk`` or take whole rows; counts the blocks that became NaN.
  mutating func encodeMX(_ to: TileView, _ load: RowLoader) {
    switch to.axis {
    case .alongColumns: encodeAlongColumns(to, load)
    case .alongRows: encodeAlongRows(to, load)
    }
    countNaNBlocks(to)
  }

  /// Encodes BF16 rows in MXINT8 along columns, straight from their words.
  mutating func encodeMX(_ to: TileView, bf16 from: TileView) {
    for row in 0..<to.rows {
      let words = UnsafeRawPointer(from.row(row)).assumingMemoryBound(to: UInt16.self)
      Bulk.encodeMXRow(
        bf16: words, count: to.columns, payload: signed(to.row(row)), scales: to.scaleRow(row))
    }
    countNaNBlocks(to)
  }

  private mutating func countNaNBlocks(_ to: TileView) {
    for row in 0..<to.scaleRows {
      let scales = to.scaleRow(row)
      for column in 0..<to.scaleColumns where scales[column] == 0xFF { health.nans += 1 }
    }
  }

  private mutating func encodeAlongColumns(_ to: TileView, _ load: RowLoader) {
    let values = scratch(0)
    for row in 0..<to.rows {
      var column = 0
      while column < to.columns {
        let count = min(Datapath.chunk, to.columns - column)
        load(&self, values, row, column, count)
        Bulk.encodeMXRows(
          values, sourceStride: count, rows: 1, cols: count,
          payload: signed(to.row(row) + column), payloadStride: to.pitch,
          scales: to.scaleRow(row) + column / MXINT8.blockSize, scaleStride: to.scalePitch)
        column += count
      }
    }
  }

  private mutating func encodeAlongRows(_ to: TileView, _ load: RowLoader) {
    let columns = to.columns
    withUnsafeTemporaryAllocation(of: Float.self, capacity: MXINT8.blockSize * max(1, columns)) {
      block in
      guard let values = block.baseAddress else { return }
      var top = 0
      while top < to.rows {
        let count = min(MXINT8.blockSize, to.rows - top)
        for row in 0..<count { load(&self, values + row * columns, top + row, 0, columns) }
        Bulk.encodeMXColumns(
          values, sourceStride: columns, rows: count, cols: columns,
          payload: signed(to.row(top)), payloadStride: to.pitch,
          scales: to.scaleRow(top / MXINT8.blockSize), scaleStride: to.scalePitch)
        top += MXINT8.blockSize
      }
    }
  }

  private func signed(_ bytes: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<Int8> {
    UnsafeMutableRawPointer(bytes).assumingMemoryBound(to: Int8.self)
  }
}
