/// M004: buffers that share bytes while both hold something that is still to be read.
///
/// Two buffers may be placed on the same bytes if the one is done with before the other begins. A read
/// through a buffer that was written, and whose bytes another buffer has overwritten since, finds the
/// other's words, in whatever order the events keep. A buffer that is only ever read is a view of what
/// lies there, and meant so.
struct LifetimeJudgement {
  private struct Clobber: Hashable {
    var reader: UInt32
    var writer: UInt32
  }

  private let program: Program
  private let table: AtomTable
  private let writer: FindingWriter

  init(_ program: Program, table: AtomTable, _ writer: FindingWriter) {
    self.program = program
    self.table = table
    self.writer = writer
  }

  /// A write, and the buffer through which it wrote.
  typealias Holder = (op: Int, buffer: UInt32)

  /// Where bytes belong to tiles of two buffers.
  private struct SharedBytes {
    var atoms: [Bool]
    var crowds: [Bool]
  }

  /// `nil` if no bytes belong to tiles of two buffers; most programs end here.
  private func sharedBytes() -> SharedBytes? {
    var owner = [UInt32](repeating: .max, count: table.firstShared)
    var crowdOwner = [UInt32](repeating: .max, count: table.crowds.count)
    var shared = SharedBytes(
      atoms: Array(repeating: false, count: table.firstShared),
      crowds: Array(repeating: false, count: table.crowds.count))
    var isAny = false
    func enter(_ owner: inout UInt32, isShared: inout Bool, _ buffer: UInt32) {
      if owner == .max {
        owner = buffer
      } else if owner != buffer {
        isShared = true
        isAny = true
      }
    }
    for (tile, ref) in program.tiles.enumerated() where ref.space.isOnChip {
      let footprint = AtomTable.footprint(tile: UInt32(tile), filled: false)
      for member in table.starts[footprint]..<table.starts[footprint + 2] {
        let atom = Int(table.atoms[Int(member)])
        if atom < table.firstShared {
          enter(&owner[atom], isShared: &shared.atoms[atom], ref.buffer)
        } else if atom >= table.count {
          let crowd = table.crowd(of: atom).crowd
          enter(&crowdOwner[crowd], isShared: &shared.crowds[crowd], ref.buffer)
        }
      }
    }
    return isAny ? shared : nil
  }

  /// The findings of a program whose order is sound, given the order of each core; one for each pair
  /// of buffers.
  func findings(_ orders: @autoclosure () -> [OrderRecord]) -> [Finding] {
    guard let shared = sharedBytes() else { return [] }
    return orders().enumerated().flatMap { core, order in findings(core, order, shared) }
  }

  private func findings(_ core: Int, _ order: OrderRecord, _ shared: SharedBytes) -> [Finding] {
    var last: [Int: Holder] = [:]
    var written: [Int: Set<UInt32>] = [:]
    var crowds = CrowdOwners()
    var result: [Finding] = []
    var known: [Clobber: Int] = [:]
    for entry in order.sequence {
      let op = Int(entry)
      let record = program.cores[core][op]
      guard record.accessBits != 0 else { continue }
      // The latest write is named, so that it does not depend on how bytes are gathered.
      var clobbered: (tile: UInt32, holder: Holder)?
      func meet(_ tile: UInt32, _ holder: Holder) {
        if let known = clobbered?.holder, known >= holder { return }
        clobbered = (tile, holder)
      }
      AccessIndex.forEachAccess(record, table) { atom, isWrite, tile, _ in
        guard !isWrite else { return }
        let buffer = program.tiles[Int(tile)].buffer
        if atom < shared.atoms.count {
          guard shared.atoms[atom], let holder = last[atom] else { return }
          if holder.buffer != buffer && written[atom]?.contains(buffer) == true {
            meet(tile, holder)
          }
        } else if atom >= table.count {
          let (own, place) = table.crowd(of: atom)
          guard shared.crowds[own] else { return }
          if let holder = crowds.clobberer(
            of: table.crowds[own].crowd.rects[place], crowd: own, buffer: buffer)
          {
            meet(tile, holder)
          }
        }
      }
      if let clobbered {
        let tile = program.tiles[Int(clobbered.tile)]
        let key = Clobber(reader: tile.buffer, writer: clobbered.holder.buffer)
        if let index = known[key] {
          result[index].folded += 1
        } else {
          known[key] = result.count
          result.append(finding(core, op, tile, clobbered.holder))
        }
      }
      AccessIndex.forEachAccess(record, table) { atom, isWrite, tile, _ in
        guard isWrite else { return }
        let buffer = program.tiles[Int(tile)].buffer
        if atom < shared.atoms.count {
          guard shared.atoms[atom] else { return }
          last[atom] = (op, buffer)
          written[atom, default: []].insert(buffer)
        } else if atom >= table.count {
          let (own, place) = table.crowd(of: atom)
          guard shared.crowds[own] else { return }
          crowds.write(table.crowds[own].crowd, place, crowd: own, op: op, buffer: buffer)
        }
      }
    }
    return result
  }

  private func finding(
    _ core: Int, _ op: Int, _ tile: TileRef, _ holder: Holder
  ) -> Finding {
    let reader = Finding.Site(core: core, op: op)
    let culprit = Finding.Site(core: core, op: holder.op)
    return Finding(
      .M004,
      "\(writer.describe(reader)) reads \(program.describe(tile)), whose bytes "
        + "\(writer.describe(culprit)) has overwritten through "
        + "\(place(holder.buffer)): \(place(tile.buffer)) is still in use",
      sites: [culprit, reader], buffer: tile.buffer,
      fix: "place the two buffers apart, or finish reading one before the other is written")
  }

  /// `scratch (bytes 128 to 255 of ub)`.
  private func place(_ index: UInt32) -> String {
    let buffer = program.buffers[Int(index)]
    return "\(buffer.name) (bytes \(buffer.base) to \(buffer.base + buffer.payloadExtent - 1) of "
      + "\(buffer.space.name))"
  }
}
