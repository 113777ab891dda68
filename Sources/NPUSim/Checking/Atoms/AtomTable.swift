/// The atoms of every footprint of a program, and its rectangles in crowds.
///
/// A footprint is the bytes that a tile covers when it is read or written (`2 × tile`) or written
/// with its last 32-block filled up (`2 × tile + 1`). Payload and scale bytes both count.
struct AtomTable {
  /// Members of footprint `f`: `atoms[starts[f]..<starts[f + 1]]`. Numbers below ``count`` are atoms;
  /// from there on they are the rectangles of the crowds, one crowd after the other.
  private(set) var starts: [UInt32] = []
  private(set) var atoms: [UInt32] = []
  /// Number of atoms.
  private(set) var count = 0
  /// Atoms from here on lie in HBM, which the cores share.
  private(set) var firstShared = 0
  /// Whether an atom is initialised before the program starts.
  private(set) var isInitial: [Bool] = []
  private(set) var crowds: [CrowdPlace] = []
  /// The first member of each crowd.
  private var crowdStarts: [Int] = []

  /// A crowd and where it lies.
  struct CrowdPlace {
    var crowd: Crowd
    /// In HBM, which the cores share.
    var isShared: Bool
    /// Initialised before the program starts.
    var isInitial: Bool
  }

  /// The footprint of an access.
  @inline(__always) static func footprint(tile: UInt32, filled: Bool) -> Int {
    Int(tile) * 2 + (filled ? 1 : 0)
  }

  /// `nil` where the footprints have more atoms than the total budget.
  init?(
    _ program: Program, layout: TileLayout, use: TileUse, budget: RectPartition.Budget
  ) {
    let map = AllocationMap(program, layout: layout, use: use)
    let (rects, domains) = map.rects()
    guard let (list, crowds) = RectPartition.atoms(of: consume rects, uses: use.counts, budget)
    else { return nil }
    count = list.count
    firstShared = list.domains.first { domains[Int($0.domain)].isShared }?.first ?? count
    isInitial = Array(repeating: false, count: count)
    for (index, own) in list.domains.enumerated() where domains[Int(own.domain)].isInitial {
      let end = index + 1 < list.domains.count ? list.domains[index + 1].first : count
      for atom in own.first..<end { isInitial[atom] = true }
    }
    var first = count
    for crowd in crowds {
      let domain = domains[Int(crowd.domain)]
      self.crowds.append(
        CrowdPlace(
          crowd: crowd, isShared: domain.isShared, isInitial: domain.isInitial))
      crowdStarts.append(first)
      first += crowd.rects.count
    }
    transpose(list, footprints: program.tiles.count * 2)
    if hasRepeats(program) { dropRepeats(program) }
  }

  /// Lists the atoms of each footprint, in ascending order. Footprints from `count` on stand for the
  /// extents of initialised tensors.
  private mutating func transpose(_ list: AtomList, footprints count: Int) {
    var next = [UInt32](repeating: 0, count: count + 1)
    for footprint in list.footprints where footprint < count { next[Int(footprint) + 1] += 1 }
    for place in crowds {
      for footprint in place.crowd.footprints where footprint < count {
        next[Int(footprint) + 1] += 1
      }
    }
    for footprint in 0..<count { next[footprint + 1] += next[footprint] }
    starts = next
    var members = [UInt32](repeating: 0, count: Int(next[count]))
    for atom in 0..<list.count {
      for index in Int(list.starts[atom])..<Int(list.starts[atom + 1]) {
        let footprint = Int(list.footprints[index])
        if footprint < count {
          members[Int(next[footprint])] = UInt32(truncatingIfNeeded: atom)
          next[footprint] += 1
        } else {
          isInitial[atom] = true
        }
      }
    }
    for (place, start) in zip(crowds, crowdStarts) {
      for (index, footprint) in place.crowd.footprints.enumerated() where footprint < count {
        members[Int(next[Int(footprint)])] = UInt32(truncatingIfNeeded: start + index)
        next[Int(footprint)] += 1
      }
    }
    atoms = members
  }

  /// The crowd of a member, and the rectangle's place in it.
  func crowd(of member: Int) -> (crowd: Int, place: Int) {
    var low = 0
    var high = crowdStarts.count
    while low + 1 < high {
      let middle = (low + high) / 2
      if crowdStarts[middle] <= member { low = middle } else { high = middle }
    }
    return (low, member - crowdStarts[low])
  }

  /// Whether a list names a row twice, so that an atom is listed twice.
  private func hasRepeats(_ program: Program) -> Bool {
    var own: [UInt32] = []
    for (index, tile) in program.tiles.enumerated() where tile.indexList != 0 {
      for footprint in [index * 2, index * 2 + 1] {
        let range = Int(starts[footprint])..<Int(starts[footprint + 1])
        if range.count < 2 { continue }
        own.removeAll(keepingCapacity: true)
        for place in range { own.append(atoms[place]) }
        own.sort()
        for place in 1..<own.count where own[place] == own[place - 1] { return true }
      }
    }
    return false
  }

  /// An atom of a footprint counts once.
  private mutating func dropRepeats(_ program: Program) {
    var compactStarts = starts
    var compact: [UInt32] = []
    compact.reserveCapacity(atoms.count)
    for footprint in 0..<(starts.count - 1) {
      compactStarts[footprint] = UInt32(compact.count)
      let own = atoms[Int(starts[footprint])..<Int(starts[footprint + 1])]
      if program.tiles[footprint / 2].indexList == 0 {
        compact.append(contentsOf: own)
      } else {
        var last: UInt32?
        for atom in own.sorted() where atom != last {
          compact.append(atom)
          last = atom
        }
      }
    }
    compactStarts[starts.count - 1] = UInt32(compact.count)
    starts = compactStarts
    atoms = compact
  }
}
