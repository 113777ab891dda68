extension Program {
  /// Bytes of the micro-ops and of the tables that they name: tiles, works, scopes and row lists, room
  /// that is reserved and not used included. What does not grow with the program, such as the
  /// machine, the catalogue and the buffers, is left out.
  public var storageBytes: Int {
    cores.reduce(0) { $0 + $1.storageBytes } + tiles.storageBytes + works.storageBytes
      + scopes.storageBytes + taps.storageBytes
      + indexLists.reduce(indexLists.storageBytes) { $0 + $1.storageBytes }
  }
}
