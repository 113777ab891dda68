/// Buffers and tensors of bytes for the areas of a record, and the tiles that areas are of them.
///
/// A tensor has rows of the pitch that most of its areas have, or one row. On chip each buffer that the
/// record declares has its slots; other bytes are one buffer for each memory, and areas with a pitch lie
/// in buffers of that pitch over the same bytes. An area that is no rectangle there becomes several.
struct RecordPlacement {
  /// What the tiles of some areas lie in: a buffer of one core.
  struct View: Hashable {
    var core: Int
    var space: Space
    /// The buffer that the record declares; −1 for the memory as a whole.
    var declared: Int
    /// Bytes from row to row; 0 for a view of one row.
    var pitch: Int
    /// Where its first byte lies in the memory; 0 where that is not known yet.
    var base: Int
  }

  /// A rectangle of bytes.
  struct Piece: Hashable {
    /// In ``views``; −1 − the tensor in HBM.
    var view: Int
    var slot = 0
    var row: Int
    var column: Int
    var rows: Int
    var columns: Int
  }

  let tree: RecordTree
  let machine: MachineConfiguration
  /// The pitch of each tensor's rows.
  private(set) var pitches: [Int] = []
  private(set) var views: [View] = []
  /// The bytes that a view reaches, from the start of its memory; of one row, where it starts, too.
  private(set) var ends: [Int] = []
  private(set) var starts: [Int] = []
  /// The area that reaches furthest.
  private(set) var spans: [TextSpan] = []
  private var numbers: [View: Int] = [:]

  init(_ tree: RecordTree, _ machine: MachineConfiguration) {
    self.tree = tree
    self.machine = machine
    choosePitches()
  }

  // MARK: Tensors

  /// For each tensor the pitch that most of its areas have, as far as whole rows make up its bytes.
  private mutating func choosePitches() {
    var counts = [[Int: Int]](repeating: [:], count: tree.tensors.count)
    for area in tree.areas where !area.isContiguous {
      guard case .tensor(let tensor) = area.owner, tree.tensors[tensor].bytes % area.pitch == 0
      else { continue }
      counts[tensor][area.pitch, default: 0] += 1
    }
    pitches = tree.tensors.indices.map { tensor in
      let best = counts[tensor].max { ($0.value, -$0.key) < ($1.value, -$1.key) }
      return best?.key ?? tree.tensors[tensor].bytes
    }
  }

  private func pieces(ofTensor tensor: Int, _ area: RecordArea) -> [Piece] {
    let pitch = pitches[tensor]
    func piece(_ first: Int, _ columns: Int, _ rows: Int) -> Piece {
      Piece(
        view: -1 - tensor, row: first / pitch, column: first % pitch, rows: rows, columns: columns)
    }
    if !area.isContiguous {
      guard area.pitch == pitch, area.address % pitch + area.length <= pitch else {
        return rows(of: area) { pieces(ofTensor: tensor, $0) }
      }
      return [piece(area.address, area.length, area.rows)]
    }
    // The rest of a row, whole rows, and the beginning of one.
    var result: [Piece] = []
    var first = area.address
    let end = first + area.extent
    if first % pitch != 0 || end - first < pitch {
      let columns = min(pitch - first % pitch, end - first)
      result.append(piece(first, columns, 1))
      first += columns
    }
    if end - first >= pitch {
      result.append(piece(first, pitch, (end - first) / pitch))
      first += (end - first) / pitch * pitch
    }
    if first < end { result.append(piece(first, end - first, 1)) }
    return result
  }

  /// The rows of an area one by one, as far as a micro-op has tiles for them.
  private func rows(of area: RecordArea, _ pieces: (RecordArea) -> [Piece]) -> [Piece] {
    var result: [Piece] = []
    for row in 0..<min(area.rows, OpRecord.maximumOperands + 1) {
      var one = area
      one.address += row * area.pitch
      one.rows = 1
      one.pitch = area.length
      result += pieces(one)
    }
    return result
  }

  // MARK: Memories

  /// Where the bytes of an area start in its memory, and the buffer of the record that they lie in.
  private func place(_ area: RecordArea, core: Int) -> (space: Space, first: Int, declared: Int) {
    switch area.owner {
    case .buffer(let index):
      let buffer = tree.buffers[index]
      return (buffer.space, buffer.address + area.address, index)
    case .memory(let space):
      let declared = tree.buffers.firstIndex { buffer in
        buffer.core == core && buffer.space == space && buffer.address <= area.address
          && area.address + area.extent <= buffer.address + buffer.bytes * buffer.slots
      }
      return (space, area.address, declared ?? -1)
    case .tensor: return (.hbm, area.address, -1)
    }
  }

  /// The rectangles of an area, with the views that they need.
  mutating func pieces(_ area: RecordArea, core: Int) -> [Piece] {
    if case .tensor(let tensor) = area.owner { return pieces(ofTensor: tensor, area) }
    let (space, first, declared) = place(area, core: core)
    if area.isContiguous {
      return [contiguous(first, area.extent, core: core, space, declared, area.span)]
    }
    let pitch = area.pitch
    let alignment = max(1, machine[space].alignment)
    let base = declared < 0 ? 0 : tree.buffers[declared].address
    let phase = (first - base) % pitch + area.length <= pitch ? 0 : (first - base) % pitch
    guard pitch % alignment == 0, phase % alignment == 0 else {
      var result: [Piece] = []
      for row in 0..<min(area.rows, OpRecord.maximumOperands + 1) {
        result.append(
          contiguous(first + row * pitch, area.length, core: core, space, declared, area.span))
      }
      return result
    }
    let view = View(
      core: core, space: space, declared: declared, pitch: pitch, base: base + phase)
    let row = (first - view.base) / pitch
    // A last row that is cut off by the end of its memory is a piece of its own.
    let fits = view.base + (row + area.rows) * pitch <= machine[space].bytes ?? .max
    let whole = fits ? area.rows : area.rows - 1
    var result = [
      Piece(
        view: number(view, from: view.base, to: view.base + (row + whole) * pitch, area.span),
        row: row,
        column: (first - view.base) % pitch, rows: whole, columns: area.length)
    ]
    if !fits {
      result.append(
        contiguous(first + whole * pitch, area.length, core: core, space, declared, area.span))
    }
    return result
  }

  /// Bytes without a gap: in a slot of a buffer, or in their memory.
  private mutating func contiguous(
    _ first: Int, _ bytes: Int, core: Int, _ space: Space, _ declared: Int, _ span: TextSpan
  ) -> Piece {
    if declared >= 0 {
      let buffer = tree.buffers[declared]
      let offset = first - buffer.address
      if offset % buffer.bytes + bytes <= buffer.bytes {
        let view = View(
          core: core, space: space, declared: declared, pitch: 0, base: buffer.address)
        return Piece(
          view: number(view, from: buffer.address, to: buffer.address + buffer.bytes, span),
          slot: offset / buffer.bytes, row: 0, column: offset % buffer.bytes, rows: 1,
          columns: bytes)
      }
    }
    let view = View(core: core, space: space, declared: -1, pitch: 0, base: 0)
    return Piece(
      view: number(view, from: first, to: first + bytes, span), row: 0, column: first, rows: 1,
      columns: bytes)
  }

  /// The number of a view, which reaches over some bytes.
  private mutating func number(
    _ view: View, from first: Int, to end: Int, _ span: TextSpan
  ) -> Int {
    let number = numbers[view] ?? views.count
    if number == views.count {
      numbers[view] = number
      views.append(view)
      starts.append(first)
      ends.append(end)
      spans.append(span)
    }
    if end > ends[number] { spans[number] = span }
    starts[number] = min(starts[number], first)
    ends[number] = max(ends[number], end)
    return number
  }

  /// The name, address and shape of a view.
  func buffer(_ number: Int) -> (name: String, address: Int, slots: Int, rows: Int, columns: Int) {
    let view = views[number]
    var name = view.space.name
    if view.declared >= 0 { name = tree.names[tree.buffers[view.declared].name] }
    if view.pitch > 0 {
      name += "_\(view.pitch)"
      let base = view.declared < 0 ? 0 : tree.buffers[view.declared].address
      if view.base > base { name += "_\(view.base - base)" }
      return (name, view.base, 1, (ends[number] - view.base) / view.pitch, view.pitch)
    }
    if view.declared >= 0 {
      let buffer = tree.buffers[view.declared]
      return (name, buffer.address, buffer.slots, 1, buffer.bytes)
    }
    let start = start(number)
    return (name, start, 1, 1, ends[number] - start)
  }

  /// Where a view of one row over a memory starts: at its first byte, as its memory is aligned.
  func start(_ number: Int) -> Int {
    let alignment = max(1, machine[views[number].space].alignment)
    return starts[number] / alignment * alignment
  }
}
