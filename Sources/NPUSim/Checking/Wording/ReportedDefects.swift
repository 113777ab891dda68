/// What the builder has said about the operands of a program, so that it is not said again.
struct ReportedDefects {
  private struct Place: Hashable {
    var core: Int
    var buffer: UInt32
  }

  private var sites: Set<Finding.Site> = []
  /// Buffers that tiles lie outside of; the builder judges each tile, and folds those of a kind.
  private var places: Set<Place> = []

  init(_ defects: [ProgramDefect]) {
    for defect in defects where [.M001, .M005, .M006].contains(defect.code) {
      if let op = defect.op { sites.insert(.init(core: defect.core, op: op)) }
      if let tile = defect.tile { places.insert(Place(core: defect.core, buffer: tile.buffer)) }
    }
  }

  /// Whether a finding about what a micro-op names, in a buffer if there is one, is among them.
  func contains(_ site: Finding.Site, _ buffer: UInt32?) -> Bool {
    if let buffer, places.contains(Place(core: site.core, buffer: buffer)) { return true }
    return sites.contains(site)
  }
}
