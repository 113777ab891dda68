extension ProgramBuilder {
  // MARK: Defects

  /// Whether a new tile lies in its buffer as it must; reported where it does not.
  mutating func isSound(
    _ id: UInt32, _ tile: TileRef, at position: Int, mnemonic: @autoclosure () -> String
  ) -> Bool {
    guard let fault = layout.fault(of: tile) else { return true }
    unsoundTiles.insert(id)
    let mnemonic = mnemonic()
    let kind = DefectFolds.Kind(mnemonic: mnemonic, buffer: tile.buffer, fault: fault)
    if isFirst(of: kind) {
      var defect = layout.defect(
        fault, of: tile, named: program.describe(tile), mnemonic: mnemonic)
      defect.core = core
      defect.op = position
      program.defects.append(defect)
    }
    return false
  }

  /// Whether the next defect is the first of its kind; later ones are counted to it.
  private mutating func isFirst(of kind: DefectFolds.Kind) -> Bool {
    var kind = kind
    kind.core = core
    kind.line = line
    if line < 0 { kind.scope = program.labels(of: scopeStack[scopeStack.count - 1]) }
    return folds.isFirst(of: kind, in: &program.defects)
  }

  /// Whether the last defect is of a slot that the micro-op at a position names.
  func hasNewSlotDefect(at position: Int) -> Bool {
    guard let last = program.defects.last else { return false }
    return last.op == position && last.core == core && last.tile?.fault == .slot
  }

  /// Replaces what is to be done about the last defect.
  mutating func sayFix(_ fix: String) {
    if !program.defects.isEmpty { program.defects[program.defects.count - 1].fix = fix }
  }

  /// Reports a micro-op whose operands are not legal; `tile` gives those that are tiles by their place.
  mutating func report(
    _ fault: OperandFault, _ operands: [OperandDescription], _ tile: (Int) -> TileRef,
    mnemonic: String, at position: Int
  ) {
    guard isFirst(of: .init(mnemonic: mnemonic)) else { return }
    let tiles = operands.enumerated().compactMap { place, operand in
      operand.tileAccess.map { NamedTile(name: operand.name, tile: tile(place), access: $0) }
    }
    let words = program.words(of: fault, tiles, in: layout)
    program.defects.append(
      ProgramDefect(
        code: .M005, message: "\(mnemonic): \(words.message)", core: core, op: position,
        fix: words.fix))
  }
}
