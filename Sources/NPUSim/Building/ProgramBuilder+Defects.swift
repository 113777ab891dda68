extension ProgramBuilder {
  // MARK: Defects

  /// Adds what is wrong with what the program was made from.
  public mutating func report(_ defect: ProgramDefect) { program.defects.append(defect) }

  /// Whether a new tile lies in its buffer as it must; reported where it does not.
  mutating func isSound(
    _ id: UInt32, _ tile: TileRef, at position: Int, opcode: UInt8, named name: String?
  ) -> Bool {
    guard let fault = layout.fault(of: tile) else { return true }
    folds.markUnsound(id)
    guard isFirst(of: .init(opcode: opcode, buffer: tile.buffer, fault: fault)) else {
      return false
    }
    var defect = layout.defect(
      fault, of: tile, named: program.describe(tile),
      mnemonic: name ?? program.catalogue[opcode].mnemonic)
    defect.core = core
    defect.op = position
    program.defects.append(defect)
    return false
  }

  /// Whether the next defect is the first of its kind; later ones are counted to it.
  mutating func isFirst(of kind: DefectFolds.Kind) -> Bool {
    var kind = kind
    kind.core = core
    kind.line = line
    if line < 0 { kind.scope = program.labelNumbers(of: scopeStack[scopeStack.count - 1]) }
    return folds.isFirst(of: kind, in: &program.defects)
  }

  /// Replaces what is to be done about the last defect, if it is of a slot.
  mutating func sayFixOfSlot(_ fix: String) {
    guard let last = program.defects.indices.last, program.defects[last].tile?.fault == .slot
    else { return }
    program.defects[last].fix = fix
  }

  /// Reports a micro-op whose operands are not legal; `tile` gives those that are tiles by their place.
  mutating func report(
    _ fault: OperandFault, _ operands: [OperandDescription], _ tile: (Int) -> TileRef,
    opcode: UInt8, at position: Int, named name: String? = nil
  ) {
    guard isFirst(of: .init(opcode: opcode)) else { return }
    let tiles = operands.enumerated().compactMap { place, operand in
      operand.tileAccess.map { NamedTile(name: operand.name, tile: tile(place), access: $0) }
    }
    let words = program.words(of: fault, tiles, in: layout)
    program.defects.append(
      ProgramDefect(
        code: .M005, message: "\(name ?? program.catalogue[opcode].mnemonic): \(words.message)",
        core: core, op: position, fix: words.fix))
  }
}
