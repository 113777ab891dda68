extension FindingWriter {
  /// P001: one finding for the events between the same queues in the same scopes. Its edits remove
  /// those that can go `together`: of two that stand in for each other, one.
  func redundant(_ pairs: [EventPair], together: Set<EventPair>) -> [Finding] {
    struct Key: Hashable {
      var core: Int
      var source: EventEnd
      var target: EventEnd
      var setScope: String
      var waitScope: String
    }
    var result: [Finding] = []
    var known: [Key: Int] = [:]
    for pair in pairs {
      let set = Finding.Site(core: pair.core, op: pair.set)
      let wait = Finding.Site(core: pair.core, op: pair.wait)
      let key = Key(
        core: pair.core, source: pair.event.source, target: pair.event.target,
        setScope: labels(record(set).scope), waitScope: labels(record(wait).scope))
      let edits: [ProgramEdit] =
        together.contains(pair) ? [.remove(core: pair.core, ops: [pair.set, pair.wait])] : []
      if let index = known[key] {
        result[index].folded += 1
        result[index].edits += edits
        continue
      }
      known[key] = result.count
      result.append(
        Finding(
          .P001,
          "\(describe(pair.event)), set at \(describe(set)) and waited for at \(describe(wait)), "
            + "orders nothing that is not ordered without it",
          sites: [set, wait], fix: "remove both micro-ops", edits: edits))
    }
    return result
  }
}
