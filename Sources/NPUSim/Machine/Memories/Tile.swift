/// A rectangle of one slot of a buffer, in elements, without its memory in the type.
///
/// A tile with an index list takes its rows from the list instead: row `i` of the tile is row
/// `list[row + i]` of the slot (gather and scatter).
public struct TileRef: Sendable, Hashable {
  /// Index in ``Program/buffers``.
  public var buffer: UInt32
  public var slot: Int32
  public var row: Int32
  public var column: Int32
  public var rows: Int32
  public var columns: Int32
  /// 0, or 1 + the index in ``Program/indexLists``.
  public var indexList: UInt32
  public var format: ElementFormat
  public var axis: BlockAxis
  public var space: Space

  @inlinable public init(
    buffer: UInt32, slot: Int32 = 0, row: Int32, column: Int32, rows: Int32, columns: Int32,
    indexList: UInt32 = 0, format: ElementFormat, axis: BlockAxis = .alongColumns, space: Space
  ) {
    self.buffer = buffer
    self.slot = slot
    self.row = row
    self.column = column
    self.rows = rows
    self.columns = columns
    self.indexList = indexList
    self.format = format
    self.axis = axis
    self.space = space
  }

  /// Elements of the valid extent.
  @inlinable public var elements: Int { Int(rows) * Int(columns) }

  /// 32-blocks along the block axis times lines across it; 0 unless MXINT8.
  public var scaleCount: Int {
    guard format == .mxint8 else { return 0 }
    switch axis {
    case .alongColumns: return Int(rows) * ((Int(columns) + 31) / 32)
    case .alongRows: return ((Int(rows) + 31) / 32) * Int(columns)
    }
  }

  /// Whether the last 32-block along the block axis is not full; `false` unless MXINT8.
  public var hasRaggedBlock: Bool {
    format == .mxint8 && (axis == .alongColumns ? columns : rows) % 32 != 0
  }

  /// Bytes of the valid extent, scales included.
  public var usefulBytes: Int { elements * format.bytes + scaleCount }

  /// Bytes with the last block of the block axis filled up, scales included.
  public var paddedBytes: Int { format == .mxint8 ? scaleCount * 33 : usefulBytes }
}

/// A tile typed by its memory, so that feeding a `ub` tile to the matrix unit does not compile.
public struct Tile<S: MemorySpace>: Sendable, Hashable {
  public var ref: TileRef

  @inlinable public init(_ ref: TileRef) { self.ref = ref }

  /// An empty tile: the operand of a micro-op that is about to be decoded.
  public static var placeholder: Tile<S> {
    Tile(
      TileRef(
        buffer: 0, row: 0, column: 0, rows: 0, columns: 0, format: .bf16, space: S.space))
  }

  /// Rows of the valid extent.
  @inlinable public var rows: Int { Int(ref.rows) }

  /// Columns of the valid extent.
  @inlinable public var columns: Int { Int(ref.columns) }

  /// The format of the elements.
  @inlinable public var format: ElementFormat { ref.format }
}

/// A buffer typed by its memory: what a builder hands out and tiles are cut from.
public struct BufferHandle<S: MemorySpace>: Sendable, Hashable {
  /// Index in ``Program/buffers``.
  public let id: UInt32
  public let slots: Int
  public let rows: Int
  public let columns: Int
  public let format: ElementFormat
  public let axis: BlockAxis

  public init(
    id: UInt32, slots: Int, rows: Int, columns: Int, format: ElementFormat, axis: BlockAxis
  ) {
    self.id = id
    self.slots = slots
    self.rows = rows
    self.columns = columns
    self.format = format
    self.axis = axis
  }

  /// The rectangle of `rows × columns` elements at (`row`, `column`) of a slot.
  ///
  /// Bounds and alignment are judged when the tile is used, so that the error can name the user.
  @inlinable public func tile(
    slot: Int = 0, row: Int = 0, column: Int = 0, rows: Int? = nil, columns: Int? = nil
  ) -> Tile<S> {
    Tile(
      TileRef(
        buffer: id, slot: Int32(clamping: slot), row: Int32(clamping: row),
        column: Int32(clamping: column), rows: Int32(clamping: rows ?? self.rows - row),
        columns: Int32(clamping: columns ?? self.columns - column), format: format, axis: axis,
        space: S.space))
  }
  /// `rows` rows of a slot from a bound list: row `i` of the tile is row `list[first + i]`.
  ///
  /// `list` is what ``ProgramBuilder/indexList(_:)`` returned.
  public func gathered(
    _ list: UInt32, first: Int = 0, rows: Int, slot: Int = 0, column: Int = 0, columns: Int? = nil
  ) -> Tile<S> {
    var tile = tile(slot: slot, row: first, column: column, rows: rows, columns: columns)
    tile.ref.indexList = list
    return tile
  }
}
