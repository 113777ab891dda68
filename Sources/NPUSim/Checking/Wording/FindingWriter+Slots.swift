extension FindingWriter {
  /// Names the slot that is filled for nothing beside the races, and the reads of what was never written,
  /// on its ring: an event would order them, and leave them wrong.
  func blame(_ slots: [UnreadSlots.Slot], for findings: inout [Finding]) {
    for index in findings.indices {
      var buffers = findings[index].pairs.compactMap(\.buffer)
      if let buffer = findings[index].buffer { buffers.append(buffer) }
      guard let slot = slots.first(where: { buffers.contains($0.buffer) }) else { continue }
      findings[index].likelyCause = statement(of: slot)
      findings[index].fix = "once every slot is the one that is meant: " + findings[index].fix
    }
  }

  /// P008 for the fills of rings of which some bytes are read, and some are not.
  func unreadParts(_ slots: [UnreadSlots.Slot]) -> [Finding] {
    slots.filter(\.isPartial).map { slot in
      Finding(
        .P008, statement(of: slot), sites: [slot.fill], buffer: slot.buffer,
        fix: remedy(slot: slot.slot, of: slot.buffer), folded: slot.count - 1)
    }
  }

  /// What to do about a slot that nobody reads.
  func remedy(slot: Int32, of buffer: UInt32) -> String {
    "read slot \(slot) of \(program.buffers[Int(buffer)].name) where it is meant, or fill the slot "
      + "that is read"
  }

  /// `slot 1 of input is written by load.l1 of line 20 and never read; feed.left of line 21 …`.
  private func statement(of slot: UnreadSlots.Slot) -> String {
    let buffer = program.buffers[Int(slot.buffer)].name
    var words =
      "slot \(slot.slot) of \(buffer) is written by \(name(slot.fill)) and "
      + (slot.isPartial ? "not read in whole" : "never read")
    if let read = slot.staleRead {
      words +=
        "; \(name(read.site)) reads slot \(read.slot), which was not written since it was last read"
    }
    return words
  }
}
