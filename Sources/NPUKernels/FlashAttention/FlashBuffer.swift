import NPUSim

/// A ring of a program before it is allocated, so that what fits and what is allocated are one list.
struct FlashBuffer: Sendable {
  var name: String
  var space: Space
  var format: ElementFormat
  var slots: Int
  var rows: Int
  var columns: Int
  var axis = BlockAxis.alongColumns

  init(
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

  /// Counts it.
  func add(to footprint: inout FlashFootprint) {
    footprint.add(space, format, slots: slots, rows: rows, columns: columns, axis: axis)
  }

  /// Allocates it on the current core.
  func buffer<S: MemorySpace>(in space: S.Type, _ p: inout ProgramBuilder) throws(NPUError)
    -> BufferHandle<S>
  {
    try p.buffer(
      name, in: space, format, slots: slots, rows: rows, columns: columns, axis: axis)
  }

  /// Allocates it on the current core, to be used in turn.
  func ring<S: MemorySpace>(in space: S.Type, _ p: inout ProgramBuilder) throws(NPUError)
    -> Ring<S>
  {
    try p.ring(name, in: space, format, slots: slots, rows: rows, columns: columns, axis: axis)
  }
}
