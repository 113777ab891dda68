extension TileLayout {
  /// An index list as messages name it.
  func name(ofList list: Int) -> String {
    listNames.indices.contains(list) ? listNames[list] : "list\(list)"
  }

  /// What is wrong with the rows that a tile takes from its list, and what to do: places that the list
  /// does not have, or rows that the buffer does not have. `nil` where nothing is, or there is no list.
  func listFault(of tile: TileRef) -> (what: String, fix: String)? {
    let number = Int(tile.indexList) - 1
    guard indexLists.indices.contains(number), buffers.indices.contains(Int(tile.buffer)) else {
      return nil
    }
    let (list, buffer) = (indexLists[number], buffers[Int(tile.buffer)])
    let (name, end) = (name(ofList: number), Int(tile.row) + Int(tile.rows))
    guard tile.row >= 0, tile.rows >= 0, end <= list.count else {
      return (
        "places \(tile.row) to \(end - 1) of \(name), which has \(list.count) values",
        "take places that \(name) has, counted from 0"
      )
    }
    let wrong = (Int(tile.row)..<end).filter { list[$0] < 0 || Int(list[$0]) >= buffer.rows }
    guard let first = wrong.first else { return nil }
    let others = wrong.count == 1 ? "" : ", and \(wrong.count - 1) more of them is no row either"
    return (
      "\(name)[\(first)] is \(list[first]), but \(buffer.name) has rows 0 to \(buffer.rows - 1)\(others)",
      "name a row of \(buffer.name); a row that shall be left out does not stand in the list"
    )
  }
}
