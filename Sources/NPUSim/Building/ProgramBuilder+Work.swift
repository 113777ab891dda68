extension ProgramBuilder {
  /// Gives a record that is legal its work, with what the machine prices beyond it, and settles what
  /// forwards. The work of an opaque micro-op is known before (`isStated`).
  mutating func settle(
    _ record: inout OpRecord, doing work: Work, isStated: Bool = false, tile: (Int) -> TileRef
  ) {
    if !isStated { record.work = intern(priced(work, record, tile)) }
    machine.settleForwarding(
      of: &record, doing: isStated ? work : program.works[Int(record.work)], tile: tile)
  }

  /// What a micro-op asks for, with the formats of its operands or the rows of its transfer where the
  /// machine charges for them.
  private mutating func priced(
    _ work: Work, _ record: OpRecord, _ tile: (Int) -> TileRef
  ) -> Work {
    if work.kind == .vector && machine.vector.pricesOperands {
      return withOperands(work, record, tile)
    }
    if let path = work.path, machine[path].rowCycles > 0 {
      return withRows(work, path, record, tile)
    }
    return work
  }

  /// The formats that are read, or written where nothing is, and the rows of the largest operand.
  private func withOperands(_ work: Work, _ record: OpRecord, _ tile: (Int) -> TileRef) -> Work {
    let operands = (0..<Int(record.operandCount)).filter { !record.access($0).isEmpty }
    let read = operands.filter { record.access($0).contains(.read) }
    let formats = FormatSet((read.isEmpty ? operands : read).map { tile($0).format })
    var largest: (elements: Int, rows: Int) = (-1, 0)
    for k in operands {
      let tile = tile(k)
      if tile.elements > largest.elements { largest = (tile.elements, Int(tile.rows)) }
    }
    return work.with(formats, rows: largest.rows)
  }

  /// The rows: those in HBM where the transfer has an end there, else those that it writes from `acc`,
  /// or that it reads.
  private mutating func withRows(
    _ work: Work, _ path: TransferPath, _ record: OpRecord, _ tile: (Int) -> TileRef
  ) -> Work {
    let operands = (0..<Int(record.operandCount)).filter { !record.access($0).isEmpty }
    let counts: Access = path.queue == .drain ? .write : .read
    guard
      let k = operands.first(where: { tile($0).space == .hbm })
        ?? operands.first(where: { record.access($0).contains(counts) })
    else { return work }
    let profile = RowProfile(of: tile(k), port: work.portBytes, layout)
    if let known = profileIDs[profile] { return work.with(profile: known) }
    profileIDs[profile] = program.rowProfiles.count
    program.rowProfiles.append(profile)
    return work.with(profile: program.rowProfiles.count - 1)
  }
}
