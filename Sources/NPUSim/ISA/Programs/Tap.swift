/// After micro-op `op` of `core`, `tile` is the rectangle at (`slot`, `row`, `column`) of a tap
/// tensor: what `--dump` and the step-by-step comparison copy.
///
/// Taps cost nothing, have no footprint and are invisible to timing and checking.
public struct Tap: Sendable, Hashable {
  public var core: Int
  /// Index in the core's list.
  public var op: Int
  public var tile: TileRef
  /// Index in ``Program/tapTensors``.
  public var tensor: Int
  public var slot: Int
  public var row: Int
  public var column: Int

  public init(core: Int, op: Int, tile: TileRef, tensor: Int, slot: Int, row: Int, column: Int) {
    self.core = core
    self.op = op
    self.tile = tile
    self.tensor = tensor
    self.slot = slot
    self.row = row
    self.column = column
  }

  /// What keeps it from being taken, in words: its tile lies outside of its buffer, or what it writes
  /// outside of the tap tensor, off its blocks or in another format. `nil` where nothing does.
  func defect(into tensor: Buffer, _ layout: TileLayout, named name: @autoclosure () -> String)
    -> String?
  {
    guard layout.contains(tile) else {
      return "a tap of tensor \(tensor.name) names \(name()), which is not inside its buffer"
    }
    let isInside =
      slot >= 0 && slot < tensor.slots && row >= 0 && column >= 0
      && row <= tensor.rows - Int(tile.rows) && column <= tensor.columns - Int(tile.columns)
    let startsBlock =
      tensor.format != .mxint8
      || (tensor.axis == .alongColumns ? column : row) % MXINT8.blockSize == 0
    guard isInside, startsBlock, tile.format == tensor.format,
      tensor.format != .mxint8 || tile.axis == tensor.axis
    else {
      return
        "a tap puts \(tile.rows) × \(tile.columns) of \(tile.format.name) at slot \(slot), row "
        + "\(row), column \(column) of tensor \(tensor.name) of \(tensor.slots) × \(tensor.rows) × "
        + "\(tensor.columns) in \(tensor.format.name)"
    }
    return nil
  }

  /// What to do about a ``defect(into:_:named:)``.
  static let remedy =
    "keep the tile inside the tensor, on whole blocks, in its format and block axis"
}
