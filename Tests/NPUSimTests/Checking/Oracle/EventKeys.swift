import NPUSim

/// Random values of the keys that say which events a machine has and what setting one twice does.
struct EventKeys {
  let overwrite: EventOverwrite
  let pairs: QueuePairs
  let fused: QueuePairs

  init(seed: UInt64) {
    var random = SeededGenerator(seed: seed ^ 0x5007_5008)
    let overwrites: [EventOverwrite] = [
      .undefined, .undefined, .blocks, .counts(1), .counts(2), .counts(3),
    ]
    overwrite = overwrites[random.below(overwrites.count)]
    // Half of the machines have every pair.
    guard random.below(2) == 0 else {
      (pairs, fused) = (.all, .none)
      return
    }
    pairs = QueuePairs(QueuePairs.all.list.filter { _ in random.below(6) > 0 })
    fused = QueuePairs(QueuePairs.all.list.filter { _ in random.below(8) == 0 })
  }

  func apply(to machine: inout MachineConfiguration) {
    machine.eventOverwrite = overwrite
    machine.eventPairs = pairs
    machine.fusedEventPairs = fused
  }
}
