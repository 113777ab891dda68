/// The legality rules that micro-ops share; each returns what is wrong, or `nil`.
enum TileRules {
  /// Formats whose elements are values by themselves.
  static let floating: FormatSet = [.bf16, .f16, .f32]

  /// Same shape, format and block axis of a destination and what is copied to it.
  static func copy(_ a: TileRef, _ b: TileRef) -> OperandFault? {
    if let wrong = sameShape(a, b) { return wrong }
    // A tensor's format and axis are given: what is on chip has to follow.
    let tensor = a.space == .hbm ? a : b
    let other = a.space == .hbm ? b : a
    if a.format != b.format {
      return .tile(
        other, found: other.format.name,
        needed: "\(tensor.format.name), the format on the other side",
        remedy: .formats([tensor.format]))
    }
    if a.format == .mxint8 && a.axis != b.axis {
      return .tile(
        other, found: "in blocks along \(axis(other))",
        needed: "blocks along \(axis(tensor)) as on the other side", remedy: .blocks(tensor.axis))
    }
    return nil
  }

  /// `b` has the rows and columns of `a`.
  static func sameShape(_ a: TileRef, _ b: TileRef) -> OperandFault? {
    if a.rows == b.rows && a.columns == b.columns { return nil }
    return shape(b, rows: Int(a.rows), Int(a.columns), "as the result")
  }

  /// Sources of an elementwise micro-op, which has forms for a column and for a number.
  static func elementwise(
    _ result: TileRef, _ a: TileRef, _ b: TileRef, _ mnemonic: @autoclosure () -> String
  ) -> OperandFault? {
    if let wrong = sameShape(result, a) { return wrong }
    if b.rows == a.rows && b.columns == a.columns { return nil }
    let remedy: OperandRemedy =
      if b.columns == 1 && b.rows == a.rows {
        .mnemonic("\(mnemonic())_column")
      } else if b.rows == 1 && b.columns == a.columns {
        .rowLoop(mnemonic())
      } else {
        .shape(rows: Int(a.rows), columns: Int(a.columns))
      }
    return .tile(
      b, found: shape(b), needed: "\(shape(a)) as a: nothing is repeated", remedy: remedy)
  }

  /// One of a set of formats.
  static func format(_ tile: TileRef, in formats: FormatSet) -> OperandFault? {
    if formats.contains(tile.format) { return nil }
    let names = formats.formats.map(\.name).sorted()
    return .tile(
      tile, found: tile.format.name,
      needed: names.count == 1 ? names[0] : "one of \(names.joined(separator: ", "))",
      remedy: .formats(formats.formats))
  }

  /// A column of one value for each row of `tile`.
  static func column(_ column: TileRef, of tile: TileRef) -> OperandFault? {
    if column.rows == tile.rows && column.columns == 1 { return nil }
    return shape(column, rows: Int(tile.rows), 1, "one value a row")
  }

  /// The column beside a tile, in a micro-op that also has a form `mnemonic` for whole tiles.
  static func column(
    _ column: TileRef, of tile: TileRef, orTiles mnemonic: @autoclosure () -> String
  ) -> OperandFault? {
    if column.rows == tile.rows && column.columns == 1 { return nil }
    let remedy: OperandRemedy =
      if column.rows == tile.rows && column.columns == tile.columns {
        .mnemonic(mnemonic())
      } else if column.rows == 1 && column.columns == tile.columns {
        .rowLoop(mnemonic())
      } else {
        .shape(rows: Int(tile.rows), columns: 1)
      }
    return .tile(
      column, found: shape(column), needed: "\(tile.rows) × 1: one value a row", remedy: remedy)
  }

  /// One value for each row and 128-element block of `tile`.
  static func blockScales(_ scales: TileRef, of tile: TileRef) -> OperandFault? {
    let blocks = FP8Block.blocks(Int(tile.columns))
    if scales.rows == tile.rows && Int(scales.columns) == blocks { return nil }
    return shape(scales, rows: Int(tile.rows), blocks, "one value for each 128 columns")
  }

  /// A tile that must have so many rows and columns.
  static func shape(
    _ tile: TileRef, rows: Int, _ columns: Int, _ reason: String
  ) -> OperandFault {
    .tile(
      tile, found: shape(tile), needed: "\(rows) × \(columns), \(reason)",
      remedy: .shape(rows: rows, columns: columns))
  }

  /// The machine has the path that leads to a tile.
  static func path(
    _ path: TransferPath, to tile: TileRef, _ layout: TileLayout
  ) -> OperandFault? {
    if layout.has(path) { return nil }
    return .tile(
      tile, found: "in \(tile.space.name)",
      needed: "another memory: this machine has no path \(path.key)",
      remedy: .said(
        "state paths.\(path.key).bytes_per_cycle for the machine, or go another way"))
  }

  /// No row of a listed tile occurs twice.
  static func distinctRows(_ tile: TileRef, _ layout: TileLayout) -> OperandFault? {
    guard tile.indexList > 0, Int(tile.indexList) <= layout.indexLists.count else { return nil }
    let list = layout.indexLists[Int(tile.indexList) - 1]
    let places = list.indices.dropFirst(Int(tile.row)).prefix(max(0, Int(tile.rows)))
    let sorted = places.sorted { (list[$0], $0) < (list[$1], $1) }
    for (place, next) in zip(sorted, sorted.dropFirst()) where list[place] == list[next] {
      let name = layout.name(ofList: Int(tile.indexList) - 1)
      return .said(
        "found row \(list[place]) twice in the list, at \(name)[\(place)] and "
          + "\(name)[\(next)], needed distinct rows: drop all but the last")
    }
    return nil
  }

  /// The first complaint of several; those after it are not looked for.
  @inline(__always)
  static func first(
    _ a: @autoclosure () -> OperandFault?, _ b: @autoclosure () -> OperandFault?,
    _ c: @autoclosure () -> OperandFault? = nil, _ d: @autoclosure () -> OperandFault? = nil,
    _ e: @autoclosure () -> OperandFault? = nil, _ f: @autoclosure () -> OperandFault? = nil,
    _ g: @autoclosure () -> OperandFault? = nil
  ) -> OperandFault? {
    a() ?? b() ?? c() ?? d() ?? e() ?? f() ?? g()
  }

  static func shape(_ tile: TileRef) -> String { "\(tile.rows) × \(tile.columns)" }

  static func axis(_ tile: TileRef) -> String { tile.axis == .alongRows ? "rows" : "columns" }
}
