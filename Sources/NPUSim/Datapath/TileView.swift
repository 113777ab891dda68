/// The bytes of a tile in memory: rows `pitch` bytes apart, or at the rows of a list.
public struct TileView {
  /// First byte of row 0 (of the slot's row 0 where rows come from a list).
  public let payload: UnsafeMutablePointer<UInt8>
  /// Bytes between rows.
  public let pitch: Int
  /// First E8M0 byte of an MXINT8 tile.
  public let scales: UnsafeMutablePointer<UInt8>
  /// Bytes between rows of scales.
  public let scalePitch: Int
  public let rows: Int
  public let columns: Int
  public let format: ElementFormat
  public let axis: BlockAxis
  let rowList: UnsafePointer<Int32>?

  /// First byte of a row of the tile.
  public func row(_ index: Int) -> UnsafeMutablePointer<UInt8> {
    if let rowList { return payload + Int(rowList[index]) * pitch }
    return payload + index * pitch
  }

  /// First scale byte of a row of the tile (blocks along columns), or of a row of blocks.
  public func scaleRow(_ index: Int) -> UnsafeMutablePointer<UInt8> {
    if let rowList, axis == .alongColumns { return scales + Int(rowList[index]) * scalePitch }
    return scales + index * scalePitch
  }

  /// A row of a tile of 16-bit elements.
  func words(_ index: Int) -> UnsafeMutablePointer<UInt16> {
    UnsafeMutableRawPointer(row(index)).assumingMemoryBound(to: UInt16.self)
  }

  /// Whether each row begins one pitch after the row before it.
  var rowsAreEven: Bool { rowList == nil }

  /// Whether no byte belongs to both, so that results may be written before all sources are read.
  func isApart(from other: TileView) -> Bool {
    if rowList != nil || other.rowList != nil { return false }
    return payload + rows * pitch <= other.payload
      || other.payload + other.rows * other.pitch <= payload
  }

  /// Whether both hold BF16 words, the same ones or none in common.
  func isBF16Beside(_ other: TileView) -> Bool {
    guard format == .bf16 && other.format == .bf16 else { return false }
    if isApart(from: other) { return true }
    return payload == other.payload && pitch == other.pitch && rowList == nil
      && other.rowList == nil
  }

  /// Rows of scales: the rows where blocks run along columns, rows of blocks otherwise.
  public var scaleRows: Int { axis == .alongColumns ? rows : (rows + 31) / 32 }

  /// Scales in a row of scales.
  public var scaleColumns: Int { axis == .alongColumns ? (columns + 31) / 32 : columns }

  /// Calls `body` with the byte runs of the tile on their planes.
  func forEachRun(
    payload plane: BytePlane, scales scalePlane: BytePlane, space: Space, padded: Bool,
    _ body: (Region) -> Void
  ) {
    var payloadRows = rows
    var payloadColumns = columns
    if padded && format == .mxint8 {
      if axis == .alongRows { payloadRows = roundUp(rows, to: 32) }
      if axis == .alongColumns { payloadColumns = roundUp(columns, to: 32) }
    }
    let id = Plane(payloadOf: space)
    let runBytes = payloadColumns * format.bytes
    if rowList == nil {
      body(
        Region(
          plane: id, base: payload - plane.bytes, pitch: pitch, runBytes: runBytes,
          rows: payloadRows))
    } else {
      for index in 0..<payloadRows {
        body(
          Region(
            plane: id, base: row(index) - plane.bytes, pitch: runBytes, runBytes: runBytes, rows: 1)
        )
      }
    }
    guard format == .mxint8 else { return }
    let scaleID = Plane(scalesOf: space)
    if rowList == nil || axis == .alongRows {
      body(
        Region(
          plane: scaleID, base: scales - scalePlane.bytes, pitch: scalePitch,
          runBytes: scaleColumns, rows: scaleRows))
    } else {
      for index in 0..<scaleRows {
        body(
          Region(
            plane: scaleID, base: scaleRow(index) - scalePlane.bytes, pitch: scaleColumns,
            runBytes: scaleColumns, rows: 1))
      }
    }
  }
}
