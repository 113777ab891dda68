extension ProgramBuilder {
  /// Appends a micro-op of a text or record; returns whether nothing is wrong with it.
  mutating func append<Op: MicroOp>(ofText op: Op) -> Bool {
    guard let opcode = program.catalogue.opcode(of: Op.self) else { return false }
    let (record, isSound) = record(of: op, opcode)
    append(record)
    return isSound
  }

  /// The number of an opaque micro-op's name.
  mutating func number(ofName name: String) -> Int {
    if let known = opNameIDs[name] { return known }
    let number = program.opNames.count
    opNameIDs[name] = number
    program.opNames.append(name)
    return number
  }
}
