/// A view of a tensor of a program, as a kernel uses it. Its tiles are tiles of the tensor before
/// anybody else sees them: a program has no views, so that nothing has to be proved of them.
struct BoundView {
  /// What the kernel asked for; tiles are judged by it.
  let asked: Buffer
  /// The tensor in the program.
  let root: UInt32
  private let frame: ViewFrame
  /// Rows of a slot of the tensor, and elements of a row.
  private let rows: Int
  private let columns: Int

  /// Throws `.tensor` where rectangles of the view are none of the tensor.
  init(
    _ frame: ViewFrame, asked: Buffer, of root: UInt32, _ tensor: Buffer
  ) throws(NPUError) {
    self.frame = frame
    self.asked = asked
    self.root = root
    rows = tensor.rows
    columns = tensor.columns
    if let why = Self.refusal(frame, tensor) {
      throw NPUError(
        .tensor,
        "\(asked.name): \(why), as \(tensor.name) lies in the program with rows of "
          + "\(tensor.columns) elements",
        hint: "bind a tensor of its own, or let all that view \(tensor.name) take it in rows alike")
    }
  }

  /// The view whose rows are those of `count` slots side by side, asked for as `wanted`; `nil` where they do
  /// not lie so.
  func sideBySide(_ count: Int, asked wanted: Buffer, of tensor: Buffer) -> BoundView? {
    guard let frame = frame.sideBySide(count) else { return nil }
    return try? BoundView(frame, asked: wanted, of: root, tensor)
  }

  private static func refusal(_ frame: ViewFrame, _ tensor: Buffer) -> String? {
    let (rows, columns) = (tensor.rows, tensor.columns)
    if let line = frame.rows.last, line.step != columns {
      return "its rows lie \(line.step) elements apart"
    }
    let dimensions = frame.slots + frame.rows
    var reach = frame.first % columns + frame.columns
    for dimension in dimensions { reach += (dimension.count - 1) * (dimension.step % columns) }
    if reach > columns { return "a row of it is in several rows of the tensor" }
    if tensor.slots == 1 { return nil }
    var depth = frame.first / columns % rows + 1
    for dimension in dimensions {
      depth += (dimension.count - 1) * (dimension.step / columns % rows)
    }
    return depth > rows ? "a slot of it is in several slots of the tensor" : nil
  }

  /// The tile of the tensor that a tile of the view is, and by how many rows its list is to be moved.
  /// It must lie in the view. `nil` where its rows lie apart.
  func resolve(_ tile: TileRef) -> (tile: TileRef, shift: Int)? {
    let isListed = tile.indexList != 0
    let row = isListed ? 0 : Int(tile.row)
    if isListed {
      if frame.rows.count > 1 { return nil }
    } else if tile.rows > 1, let run = frame.rows.last, row % run.count + Int(tile.rows) > run.count
    {
      return nil
    }
    let start = frame.start(slot: Int(tile.slot), row: row) + Int(tile.column)
    let line = start / columns
    var result = tile
    result.buffer = root
    result.slot = Int32(clamping: line / rows)
    result.column = Int32(clamping: start % columns)
    if isListed { return (result, line % rows) }
    result.row = Int32(clamping: line % rows)
    return (result, 0)
  }
}

/// The views of a builder. Where a kernel has one it has a number above those of all buffers.
struct BoundViews {
  /// What numbers of views have, and those of buffers have not.
  static let bit: UInt32 = 1 << 31

  private(set) var list: [BoundView] = []
  /// The tensors that are bound, by name.
  var roots: [String: Root] = [:]
  /// Index lists whose rows were moved, 1 + their number, by that of the list and the rows.
  var moved: [[Int]: UInt32] = [:]

  /// A tensor of the program that is bound.
  struct Root {
    var id: UInt32
    var form: TensorForm
    /// The prefix of who asked for it first.
    var owner: String
  }

  var isEmpty: Bool { list.isEmpty }

  /// Adds a view; returns its number.
  mutating func add(_ view: BoundView) -> UInt32 {
    list.append(view)
    return Self.bit | UInt32(list.count - 1)
  }

  /// The view of a number; `nil` for that of a buffer.
  subscript(number: UInt32) -> BoundView? {
    number & Self.bit == 0 ? nil : list[Int(number & ~Self.bit)]
  }
}
