/// A buffer of an on-chip memory before it has its place: what a plan lists, what is measured, and
/// what is allocated.
public struct PlannedBuffer: Sendable, Hashable {
  public var name: String
  public var space: Space
  public var format: ElementFormat
  /// Slots that are used in turn, each of `rows × columns` elements.
  public var slots: Int
  public var rows: Int
  public var columns: Int
  /// The axis of the blocks of an MXINT8 buffer.
  public var axis: BlockAxis

  public init(
    _ name: String, _ space: Space, _ format: ElementFormat, slots: Int = 1, rows: Int,
    columns: Int, axis: BlockAxis = .alongColumns
  ) {
    self.name = name
    self.space = space
    self.format = format
    self.slots = slots
    self.rows = rows
    self.columns = columns
    self.axis = axis
  }

  /// What a buffer that is placed was planned as.
  init(_ buffer: Buffer) {
    self.init(
      buffer.name, buffer.space, buffer.format, slots: buffer.slots, rows: buffer.rows,
      columns: buffer.columns, axis: buffer.axis)
  }
}
