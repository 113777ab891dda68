extension FindingWriter {
  /// Reads of HBM bytes that their core wrote, one finding for each pair of statements and tensor: an
  /// error where the machine demands a barrier on all queues, a lint where an event is enough.
  func fences(_ reads: [FenceJudgement.Unfenced]) -> [Finding] {
    struct Key: Hashable {
      var write: Statement
      var read: Statement
      var buffer: UInt32
    }
    var result: [Finding] = []
    var known: [Key: Int] = [:]
    for read in reads {
      let key = Key(
        write: statement(read.write), read: statement(read.read),
        buffer: program.tiles[Int(read.tile)].buffer)
      let edit = ProgramEdit.fence(core: read.read.core, from: read.write.op, to: read.read.op)
      if let index = known[key] {
        result[index].folded += 1
        result[index].edits.append(edit)
      } else {
        known[key] = result.count
        result.append(finding(read, edit))
      }
    }
    return result
  }

  private func finding(_ read: FenceJudgement.Unfenced, _ edit: ProgramEdit) -> Finding {
    let isDemanded = program.machine.hbm.readAfterWrite == .fence
    let tile = program.tiles[Int(read.tile)]
    let barrier = lines[read.read] == nil ? "sync.barrier_all" : "barrier_all"
    return Finding(
      isDemanded ? .H001 : .P009,
      "\(name(read.read)) reads \(program.describe(tile)), which \(name(read.write)) wrote to HBM, "
        + "and "
        + (isDemanded
          ? "this machine needs a barrier on all queues in between: an event does not make the "
            + "bytes readable" : "only events order the two"),
      sites: [read.write, read.read], buffer: tile.buffer,
      fix: "put \(barrier) after \(place(read.write)) and before \(place(read.read))"
        + (isDemanded ? "" : ", for machines that need it (hbm.read_after_write = fence)"),
      edits: [edit])
  }
}
