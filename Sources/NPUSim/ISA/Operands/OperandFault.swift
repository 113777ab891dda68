/// What is wrong with the operands of a micro-op beyond bounds and alignment.
public indirect enum OperandFault: Sendable, Hashable, ExpressibleByStringInterpolation {
  /// What was found and what was needed, in words of its own.
  case said(String)
  /// A tile that is not what it must be.
  case tile(TileRef, found: String, needed: String, remedy: OperandRemedy)

  public init(stringLiteral text: String) { self = .said(text) }
}

/// What to write instead of operands that are not legal.
public enum OperandRemedy: Sendable, Hashable {
  /// So many rows and columns of the tile.
  case shape(rows: Int, columns: Int)
  /// A buffer of one of some formats.
  case formats([ElementFormat])
  /// A buffer whose scales belong to blocks along this axis.
  case blocks(BlockAxis)
  /// Another micro-op with the same operands.
  case mnemonic(String)
  /// The micro-op of this name once for each row.
  case rowLoop(String)
  /// In words of its own.
  case said(String)
}

/// An operand of a micro-op that is reported.
struct NamedTile {
  var name: String
  var tile: TileRef
  var access: Access
}

extension Program {
  /// What is said of a fault: the operand by its name, and what to write.
  func words(
    of fault: OperandFault, _ operands: [NamedTile], in layout: TileLayout
  ) -> (message: String, fix: String) {
    switch fault {
    case .said(let text):
      return (text, "give the micro-op operands of the stated shapes and formats")
    case .tile(let tile, let found, let needed, let remedy):
      // Sources are taken before results: those are more often at fault.
      let operand =
        operands.first { $0.tile == tile && !$0.access.contains(.write) }
        ?? operands.first { $0.tile == tile }
      let name = operand.map { "\($0.name), " } ?? ""
      return (
        "\(name)\(describe(tile)), is \(found), needed \(needed)",
        words(of: remedy, tile, operands, layout)
      )
    }
  }

  private func words(
    of remedy: OperandRemedy, _ tile: TileRef, _ operands: [NamedTile], _ layout: TileLayout
  ) -> String {
    let buffer = layout.buffers[Int(tile.buffer)]
    switch remedy {
    case .shape(let rows, let columns):
      var other = tile
      other.rows = Int32(clamping: rows)
      other.columns = Int32(clamping: columns)
      if layout.contains(other) { return "write \(describe(other))" }
      return "declare \(buffer.name) with at least [\(rows), \(columns)], or take as little of the "
        + "other operands"
    case .formats(let formats):
      let names = formats.map(\.name)
      let list = names.count > 1 ? "\(names.dropLast().joined(separator: ", ")) or " : ""
      let cast =
        tile.space == .ub && tile.format != .mxint8
        ? ", or put a vector.cast between" : ""
      return "declare \(buffer.name) as \(list)\(names.last ?? "")\(cast)"
    case .blocks(let axis):
      return "declare \(buffer.name) with {blocks=\(axis == .alongRows ? "rows" : "columns")}"
    case .mnemonic(let mnemonic):
      return "write \(statement(mnemonic, operands.map { describe($0.tile) }, operands))"
    case .rowLoop(let mnemonic):
      let rows = operands.map(\.tile.rows).max() ?? 1
      let texts = operands.map { operand -> String in
        guard operand.tile.rows == rows else { return describe(operand.tile) }
        var row = operand.tile
        row.row = 0
        row.rows = 1
        let start = operand.tile.row == 0 ? "i" : "\(operand.tile.row) + i"
        return describe(row).replacing("[0 +: 1,", with: "[\(start) +: 1,")
      }
      return "write .loop i 0..<\(rows): \(statement(mnemonic, texts, operands))"
    case .said(let text): return text
    }
  }

  /// `vector.mul y[0 +: 4, 0 +: 64] <- a[0 +: 4, 0 +: 64], b[0 +: 4, 0 +: 1]`
  private func statement(
    _ mnemonic: String, _ texts: [String], _ operands: [NamedTile]
  ) -> String {
    let pairs = zip(texts, operands)
    let written = pairs.filter { $1.access.contains(.write) }.map(\.0)
    let read = pairs.filter { !$1.access.contains(.write) }.map(\.0)
    return "\(mnemonic) \(written.joined(separator: ", ")) <- \(read.joined(separator: ", "))"
  }
}
