extension Program {
  /// Bytes of the micro-ops and of the tables that they name: tiles, works, scopes and row lists, room
  /// that is reserved and not used included. What does not grow with the program, such as the
  /// machine, the catalogue and the buffers, is left out.
  public var storageBytes: Int {
    func bytes<Element>(_ list: [Element]) -> Int {
      list.capacity * MemoryLayout<Element>.stride
    }
    return cores.reduce(0) { $0 + bytes($1) } + bytes(tiles) + bytes(works) + bytes(scopes)
      + indexLists.reduce(bytes(indexLists)) { $0 + bytes($1) } + bytes(taps)
  }
}
