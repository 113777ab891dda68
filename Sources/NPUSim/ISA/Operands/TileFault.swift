/// Why a tile does not lie in its buffer as it must.
enum TileFault: Hashable, Sendable {
  /// There is no such buffer.
  case buffer
  /// A slot, rows or columns that the buffer does not have.
  case slot, rows, columns
  /// A row list that is too short, or that names rows that the buffer does not have.
  case list
  /// A row list that takes blocks over rows apart.
  case listedBlocks
  /// Rows of a view that lie apart in its tensor: no rectangle.
  case apart
  /// A start that the memory, or a 32-element block, does not allow.
  case alignment, block
}

extension TileLayout {
  /// What is wrong with the place of a tile, or `nil`.
  func fault(of tile: TileRef) -> TileFault? {
    guard Int(tile.buffer) < buffers.count else { return .buffer }
    guard !contains(tile) else {
      if tile.indexList != 0 && tile.format == .mxint8 && tile.axis == .alongRows {
        return .listedBlocks
      }
      return isAligned(tile) ? nil : startsBlock(tile) ? .alignment : .block
    }
    let buffer = buffers[Int(tile.buffer)]
    if tile.slot < 0 || Int(tile.slot) >= buffer.slots { return .slot }
    if tile.column < 0 || tile.columns < 0
      || Int(tile.column) + Int(tile.columns) > buffer.columns
    {
      return .columns
    }
    return tile.indexList == 0 ? .rows : .list
  }

  /// The defect of a micro-op, one of whose tiles has a fault.
  func defect(
    _ fault: TileFault, of tile: TileRef, named name: String, mnemonic: String
  ) -> ProgramDefect {
    let buffer = Int(tile.buffer) < buffers.count ? buffers[Int(tile.buffer)] : nil
    let isTensor = tile.space == .hbm
    let owner = buffer?.name ?? "nothing"
    let extent = buffer.map { "\($0.slots) × \($0.rows) × \($0.columns)" } ?? "nothing"
    var code: FindingCode = isTensor ? .M005 : .M001
    let what: String
    var fix = "keep the tile inside \(owner), or enlarge it"
    switch fault {
    case .slot:
      let slots = buffer?.slots ?? 0
      what = "\(name): slot \(tile.slot) of \(slots) of \(owner), counted from 0"
      fix =
        slots > 1
        ? "take the slot modulo \(slots), or declare \(owner) with more slots"
        : "declare \(owner) with \(Int(tile.slot) + 1) slots or more, or name no slot"
    case .rows:
      what =
        "\(name): rows \(tile.row) to \(Int(tile.row) + Int(tile.rows) - 1) of "
        + "\(buffer?.rows ?? 0) of \(owner), counted from 0"
    case .columns:
      what =
        "\(name): columns \(tile.column) to \(Int(tile.column) + Int(tile.columns) - 1) of "
        + "\(buffer?.columns ?? 0) of \(owner), counted from 0"
    case .list, .buffer:
      let rows = listFault(of: tile)
      what = rows.map { "\(name): \($0.what)" } ?? "\(name), but the buffer holds \(extent)"
      fix = rows?.fix ?? fix
      if rows != nil { code = .M006 }
    case .listedBlocks:
      code = .M005
      what =
        "\(name), whose rows come from a list and whose blocks run over rows: a block cannot be taken "
        + "apart"
      fix = "give the buffer blocks along columns, or take a rectangle"
    case .apart:
      what =
        "\(name), whose rows do not lie one pitch apart in the tensor that \(owner) is a view of"
      fix =
        "take rows between which the view goes on evenly, or bind \(owner) to a tensor of its own"
    case .alignment, .block:
      code = .M002
      what =
        "\(name), which does not start on "
        + (fault == .block
          ? "a 32-element block" : "the alignment of \(alignments[tile.space.index]) bytes")
      fix = "start tiles at aligned columns and whole blocks"
    }
    var defect = ProgramDefect(
      code: code, message: "\(mnemonic) names \(what)", core: 0, fix: fix)
    defect.tile = .init(buffer: tile.buffer, fault: fault)
    return defect
  }
}
