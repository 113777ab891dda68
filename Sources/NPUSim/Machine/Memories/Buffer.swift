/// A named, laid-out array of `slots × rows × columns` elements in one memory.
///
/// In HBM a buffer is a tensor: dense, slots are its leading dimensions flattened. On chip it is an
/// allocation: rows start on the memory's alignment and the pitch is padded; slots are the stages of
/// a ring. MXINT8 buffers round the block axis up to whole 32-blocks and carry their scales.
public struct Buffer: Sendable, Hashable {
  /// What an HBM tensor is to the program; on-chip buffers are `scratch`.
  public enum Role: UInt8, Sendable, Hashable {
    case input, output, inputOutput, scratch
  }

  public var name: String
  public var space: Space
  public var format: ElementFormat
  public var axis: BlockAxis
  public var role: Role
  /// The core that owns it; −1 in HBM.
  public var core: Int32
  public var slots: Int
  public var rows: Int
  public var columns: Int
  /// Byte address of slot 0, row 0 on the payload plane.
  public var base: Int
  /// Bytes between rows.
  public var pitch: Int
  /// Bytes between slots.
  public var slotStride: Int
  /// The same for the scales of an MXINT8 buffer, on the plane of ``Plane/init(scalesOf:)``.
  public var scaleBase: Int
  public var scalePitch: Int
  public var scaleSlotStride: Int

  /// Rows and columns with the block axis rounded up to whole blocks.
  public var paddedRows: Int {
    format == .mxint8 && axis == .alongRows ? roundUp(rows, to: 32) : rows
  }

  /// See ``paddedRows``.
  public var paddedColumns: Int {
    format == .mxint8 && axis == .alongColumns ? roundUp(columns, to: 32) : columns
  }

  /// Payload bytes from the first to the last, padding included.
  public var payloadExtent: Int { slots * slotStride }

  /// Scale bytes from the first to the last.
  public var scaleExtent: Int { format == .mxint8 ? slots * scaleSlotStride : 0 }

  /// Useful bytes of the whole buffer: elements and scales, without padding.
  public var usefulBytes: Int {
    let payload = slots * rows * columns * format.bytes
    guard format == .mxint8 else { return payload }
    switch axis {
    case .alongColumns: return payload + slots * rows * ((columns + 31) / 32)
    case .alongRows: return payload + slots * ((rows + 31) / 32) * columns
    }
  }
}

/// `value` rounded up to a multiple of `unit` (`unit` > 0).
@inlinable func roundUp(_ value: Int, to unit: Int) -> Int { (value + unit - 1) / unit * unit }
