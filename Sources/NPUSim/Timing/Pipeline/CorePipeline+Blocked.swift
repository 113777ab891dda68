extension CorePipeline {
  /// A line for each queue, and the sequencer, that holds a micro-op which can never start.
  func blocked(_ program: Program) -> [String] {
    var stops = Queue.allCases.filter { queues[$0.index].waiting > 0 }.map {
      (end: EventEnd.queue($0), op: Int(queues[$0.index].first.op))
    }
    if cursor < records.count && records[cursor].kind.isInSequencer {
      stops.append((end: .sequencer, op: cursor))
    }
    return stops.map { end, op in
      let record = records[op]
      var text = "core \(core) \(end.name): #\(op) \(program.mnemonic(record))"
      let scope = program.scopePath(record.scope)
      if !scope.isEmpty { text += " in \(scope)" }
      if record.kind.isWait {
        let event = record.event
        text += " waits for \(event.source.name)->\(event.target.name):\(event.id)"
      } else if record.kind == .coreWait {
        let event = record.coreEvent(on: core)
        text +=
          " waits for core \(event.setter), \(event.event.source.name)->"
          + "\(event.event.target.name):\(event.event.id)"
      } else if record.hasUnitFlag {
        text += " waits by its unit flag"
      }
      return text
    }
  }
}
