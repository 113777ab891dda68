extension Program {
  /// Where this program differs from another, in words; `nil` where they are the same.
  ///
  /// Compared are machines' names, buffers with every address, index lists, the micro-ops of each core
  /// with their operands, work and scopes, and taps. The order of the tables that records point into
  /// does not matter, nor how often a scope was opened.
  public func difference(from other: Program) -> String? {
    if machine.name != other.machine.name {
      return "made for \(machine.name) and \(other.machine.name)"
    }
    if buffers != other.buffers {
      for (a, b) in zip(buffers, other.buffers) where a != b {
        return "buffer '\(a.name)' at \(a.base) and '\(b.name)' at \(b.base) differ"
      }
      return "\(buffers.count) and \(other.buffers.count) buffers"
    }
    if indexLists != other.indexLists { return "the index lists differ" }
    if tapTensors != other.tapTensors { return "the tap tensors differ" }
    if taps != other.taps { return "the taps differ" }
    if cores.count != other.cores.count {
      return "\(cores.count) and \(other.cores.count.counted("core"))"
    }
    for core in cores.indices {
      if let found = difference(core, other) { return found }
    }
    return nil
  }

  private func difference(_ core: Int, _ other: Program) -> String? {
    for op in 0..<min(cores[core].count, other.cores[core].count) {
      let site = Finding.Site(core: core, op: op)
      if !isSame(cores[core][op], other.cores[core][op], other) {
        return "\(wholeLine(site)) and \(other.wholeLine(site)) differ"
      }
    }
    let counts = (cores[core].count, other.cores[core].count)
    return counts.0 == counts.1
      ? nil : "\(counts.0) and \(counts.1.counted("micro-op")) on core \(core)"
  }

  private func isSame(_ a: OpRecord, _ b: OpRecord, _ other: Program) -> Bool {
    guard mnemonic(a) == other.mnemonic(b), a.queue == b.queue, a.kind == b.kind,
      a.operandCount == b.operandCount, a.accessBits == b.accessBits,
      isSame(works[Int(a.work)], other.works[Int(b.work)], other),
      a.scope == b.scope || scopePath(a.scope) == other.scopePath(b.scope)
    else { return false }
    for k in 0..<min(Int(a.operandCount), OpRecord.maximumOperands) {
      if a.access(k).isEmpty {
        if a.words[k] != b.words[k] { return false }
      } else if tiles[Int(a.words[k])] != other.tiles[Int(b.words[k])] {
        return false
      }
    }
    return true
  }

  private func isSame(_ a: Work, _ b: Work, _ other: Program) -> Bool {
    a.named(0).withoutRows == b.named(0).withoutRows && rows(of: a) == other.rows(of: b)
  }

  /// A micro-op as `#12 vector.exp x[0 +: 4, 0 +: 128], y[…]`.
  private func wholeLine(_ site: Finding.Site) -> String {
    let record = cores[site.core][site.op]
    let operands = catalogue[record.opcode].describe(record, self).joined(separator: ", ")
    return
      "core \(site.core) #\(site.op) \(mnemonic(record)) \(operands) [\(scopePath(record.scope))]"
  }
}
