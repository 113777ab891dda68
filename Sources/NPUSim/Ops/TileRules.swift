/// The legality rules that micro-ops share; each returns what is wrong, or `nil`.
enum TileRules {
  /// Formats whose elements are values by themselves.
  static let floating: FormatSet = [.bf16, .f16, .f32]

  /// Same shape, format and block axis.
  static func copy(_ a: TileRef, _ b: TileRef) -> String? {
    if let wrong = sameShape(a, b) { return wrong }
    if a.format != b.format {
      return "found \(a.format.name) from \(b.format.name), needed one format"
    }
    if a.format == .mxint8 && a.axis != b.axis {
      return "found blocks along different axes, needed one block axis"
    }
    return nil
  }

  /// Same rows and columns.
  static func sameShape(_ a: TileRef, _ b: TileRef) -> String? {
    if a.rows == b.rows && a.columns == b.columns { return nil }
    return "found \(shape(a)) and \(shape(b)), needed equal shapes"
  }

  /// One of a set of formats.
  static func format(_ tile: TileRef, in formats: FormatSet) -> String? {
    if formats.contains(tile.format) { return nil }
    let names = formats.formats.map(\.name).sorted().joined(separator: ", ")
    return "found \(tile.format.name), needed one of \(names)"
  }

  /// A column of one value for each row of `tile`.
  static func column(_ column: TileRef, of tile: TileRef) -> String? {
    if column.rows == tile.rows && column.columns == 1 { return nil }
    return "found \(shape(column)), needed \(tile.rows) × 1: one value a row"
  }

  /// One value for each row and 128-element block of `tile`.
  static func blockScales(_ scales: TileRef, of tile: TileRef) -> String? {
    let blocks = FP8Block.blocks(Int(tile.columns))
    if scales.rows == tile.rows && Int(scales.columns) == blocks { return nil }
    return "found \(shape(scales)), needed \(tile.rows) × \(blocks): one value for each 128 columns"
  }

  /// No row of a listed tile occurs twice.
  static func distinctRows(_ tile: TileRef, _ layout: TileLayout) -> String? {
    guard tile.indexList > 0, Int(tile.indexList) <= layout.indexLists.count else { return nil }
    let list = layout.indexLists[Int(tile.indexList) - 1]
    let rows = list.dropFirst(Int(tile.row)).prefix(max(0, Int(tile.rows))).sorted()
    for (row, next) in zip(rows, rows.dropFirst()) where row == next {
      return "found row \(row) twice in the list, needed distinct rows: drop all but the last"
    }
    return nil
  }

  /// The first complaint of several; those after it are not looked for.
  @inline(__always)
  static func first(
    _ a: @autoclosure () -> String?, _ b: @autoclosure () -> String?,
    _ c: @autoclosure () -> String? = nil, _ d: @autoclosure () -> String? = nil,
    _ e: @autoclosure () -> String? = nil, _ f: @autoclosure () -> String? = nil,
    _ g: @autoclosure () -> String? = nil
  ) -> String? {
    a() ?? b() ?? c() ?? d() ?? e() ?? f() ?? g()
  }

  static func shape(_ tile: TileRef) -> String { "\(tile.rows) × \(tile.columns)" }
}
