/// The addresses from the first to the last byte of a tile on one plane, gaps between its rows included.
struct ByteSpan {
  private let start: UInt
  private let end: UInt

  /// Nothing.
  static let empty = ByteSpan(start: 0, end: 0)
  /// Everything.
  static let whole = ByteSpan(start: 0, end: .max)

  private init(start: UInt, end: UInt) {
    self.start = start
    self.end = end
  }

  /// `rows` runs of `bytes` bytes, `pitch` apart.
  init(_ base: UnsafePointer<UInt8>, rows: Int, pitch: Int, bytes: Int) {
    guard rows > 0, bytes > 0 else {
      self = .empty
      return
    }
    start = UInt(bitPattern: base)
    end = UInt(bitPattern: base + (rows - 1) * pitch + bytes)
  }

  /// Whether the spans share a byte.
  func meets(_ other: ByteSpan) -> Bool { start < other.end && other.start < end }
}

extension TileView {
  /// The span of the payload, with the rest of the last block of an MXINT8 tile; everything for rows of a
  /// list.
  var payloadSpan: ByteSpan {
    if rowList != nil { return .whole }
    let isMX = format == .mxint8
    return ByteSpan(
      payload, rows: isMX && axis == .alongRows ? roundUp(rows, to: 32) : rows, pitch: pitch,
      bytes: (isMX && axis == .alongColumns ? roundUp(columns, to: 32) : columns) * format.bytes)
  }

  /// The span of the scales of an MXINT8 tile.
  var scaleSpan: ByteSpan {
    guard format == .mxint8 else { return .empty }
    if rowList != nil { return .whole }
    return ByteSpan(scales, rows: scaleRows, pitch: scalePitch, bytes: scaleColumns)
  }
}
