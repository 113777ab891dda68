/// The atoms of a partition, each with the footprints that cover it, one list after the other.
struct AtomList {
  /// Domains in the order of their numbers, and the first atom of each.
  private(set) var domains: [(domain: UInt32, first: Int)] = []
  /// Footprints of atom `a`: `footprints[starts[a]..<starts[a + 1]]`.
  private(set) var starts: [UInt32] = [0]
  private(set) var footprints: [UInt32] = []

  /// By number, the atoms of the group that ``slots`` finds, and what it looks for.
  private var known: [UInt32] = []
  private var hashes: [UInt64] = []
  /// Open addressing in the first ``slotCount`` places: 0 is free, otherwise 1 + a number.
  private var slots: [UInt32] = Array(repeating: 0, count: Self.fewest)
  private var slotCount = Self.fewest

  private static let fewest = 64

  var count: Int { starts.count - 1 }

  /// Begins with the atoms of a domain.
  mutating func begin(domain: UInt32) { domains.append((domain, count)) }

  /// Adds a footprint to the atom that ``finish()`` completes.
  mutating func add(_ footprint: UInt32) { footprints.append(footprint) }

  /// Completes an atom.
  mutating func finish() { starts.append(UInt32(truncatingIfNeeded: footprints.count)) }

  /// How far the list has come.
  var mark: (atoms: Int, footprints: Int) { (starts.count, footprints.count) }

  /// Drops the atoms that were added since.
  mutating func forget(after mark: (atoms: Int, footprints: Int)) {
    starts.removeLast(starts.count - mark.atoms)
    footprints.removeLast(footprints.count - mark.footprints)
  }

  // MARK: Cells

  /// Begins a group of cells: those of equal footprints become one atom.
  mutating func beginGroup() {
    known.removeAll(keepingCapacity: true)
    hashes.removeAll(keepingCapacity: true)
    slotCount = Self.fewest
    for slot in 0..<slotCount { slots[slot] = 0 }
  }

  /// Enters a cell of the group, covered by the footprints at `places[range]` of `list`. The order of
  /// a cell's footprints must be the same in all cells.
  mutating func enter(_ list: [UInt32], at places: [UInt32], _ range: Range<Int>) {
    var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
    for index in range {
      let footprint = list[Int(places[index])]
      footprints.append(footprint)
      hash = (hash ^ UInt64(footprint)) &* 0xBF58_476D_1CE4_E5B9
    }
    hash ^= hash >> 32
    var slot = Int(truncatingIfNeeded: hash) & (slotCount - 1)
    while slots[slot] != 0 {
      let number = Int(slots[slot]) - 1
      if hashes[number] == hash && isRepeated(Int(known[number]), range.count) {
        footprints.removeLast(range.count)
        return
      }
      slot = (slot + 1) & (slotCount - 1)
    }
    known.append(UInt32(truncatingIfNeeded: count))
    hashes.append(hash)
    slots[slot] = UInt32(truncatingIfNeeded: hashes.count)
    finish()
    if hashes.count * 2 > slotCount { grow() }
  }

  /// Enters a cell of which no other one has the footprints, or so few that it does not matter.
  mutating func enterNew(_ list: [UInt32], at places: [UInt32], _ range: Range<Int>) {
    for index in range { footprints.append(list[Int(places[index])]) }
    finish()
  }

  /// Whether an atom has the same footprints as the last `size` ones that were added.
  private func isRepeated(_ atom: Int, _ size: Int) -> Bool {
    let first = Int(starts[atom])
    guard Int(starts[atom + 1]) - first == size else { return false }
    let last = footprints.count - size
    for index in 0..<size where footprints[first + index] != footprints[last + index] {
      return false
    }
    return true
  }

  private mutating func grow() {
    slotCount *= 2
    if slots.count < slotCount { slots = Array(repeating: 0, count: slotCount) }
    for slot in 0..<slotCount { slots[slot] = 0 }
    for (number, hash) in hashes.enumerated() {
      var slot = Int(truncatingIfNeeded: hash) & (slotCount - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (slotCount - 1) }
      slots[slot] = UInt32(truncatingIfNeeded: number + 1)
    }
  }
}
