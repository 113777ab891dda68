/// How a buffer of an on-chip memory lies, wherever it begins: its rows on the alignment of the memory,
/// whole 32-blocks, and its scales: in a side array at 1/32 of the distances, else without gaps.
struct BufferExtent {
  /// Bytes from row to row and from slot to slot, and of all slots.
  let pitch: Int
  let slotStride: Int
  let payload: Int
  /// The same for the scales of MXINT8; 0 of other formats.
  let scalePitch: Int
  let scaleSlotStride: Int
  let scales: Int

  /// A size above this is no size of a buffer; sums of a few are still far from the largest integer.
  static let limit = Int.max / 64

  /// `nil` where a dimension is negative, or the bytes are more than ``limit``.
  init?(_ buffer: PlannedBuffer, alignment: Int) {
    guard 0...Self.limit ~= buffer.slots, 0...Self.limit ~= buffer.rows,
      0...Self.limit ~= buffer.columns
    else { return nil }
    let isMX = buffer.format == .mxint8
    let isAcross = buffer.axis == .alongColumns
    let rows = isMX && !isAcross ? roundUp(buffer.rows, to: 32) : buffer.rows
    let columns = isMX && isAcross ? roundUp(buffer.columns, to: 32) : buffer.columns
    guard let row = Self.product(columns, buffer.format.bytes) else { return nil }
    pitch = roundUp(row, to: alignment)
    guard let slot = Self.product(rows, pitch), let payload = Self.product(buffer.slots, slot)
    else { return nil }
    slotStride = slot
    self.payload = payload
    let line = buffer.space.hasScaleSideArray ? pitch : columns
    scalePitch = isMX ? isAcross ? line / 32 : line : 0
    scaleSlotStride = scalePitch * (isAcross ? rows : rows / 32)
    scales = scaleSlotStride * buffer.slots
  }

  /// The product of two sizes, or `nil` above ``limit``.
  private static func product(_ a: Int, _ b: Int) -> Int? {
    let (value, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow || value > limit ? nil : value
  }
}
