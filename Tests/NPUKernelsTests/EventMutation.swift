import NPUSim
import Testing

/// Programs without one of their events or barriers.
enum EventMutation {
  /// Expects a clean program to need each of its events and barriers, of which there are some.
  static func expectNeeded(
    _ program: Program, atLeast least: Int, seed: UInt64, _ name: String,
    at place: Testing.SourceLocation = #_sourceLocation
  ) {
    #expect(Checker.check(program).isClean, "\(name)", sourceLocation: place)
    #expect(Checker.redundantEvents(program).isEmpty, "\(name)", sourceLocation: place)
    let (unneeded, tried) = unneeded(program, seed: seed)
    #expect(unneeded.isEmpty, "\(name): \(unneeded.prefix(3))", sourceLocation: place)
    #expect(tried >= least, "\(name)", sourceLocation: place)
  }

  /// What a program would miss nothing by losing: a line for each event or barrier without which the
  /// checker has no objection. Of many, a default run tries a seeded tenth.
  private static func unneeded(_ program: Program, seed: UInt64) -> (lines: [String], tried: Int) {
    var random = SeededGenerator(seed: seed)
    var lines: [String] = []
    var tried = 0
    for core in program.cores.indices {
      let all = synchronisations(program.cores[core])
      for places in all where all.count < 40 || TestScale.isFull || random.below(10) == 0 {
        var mutant = program
        for place in places.sorted(by: >) { mutant.cores[core].remove(at: place) }
        tried += 1
        let record = program.cores[core][places[0]]
        if Checker.check(mutant).proof.isProved {
          lines.append(
            "core \(core) without \(places) (\(program.mnemonic(record)) of \(record.queue)), "
              + "seed \(seed)")
        }
      }
    }
    return (lines, tried)
  }

  /// The records of one core that go together: a set and its wait, or a barrier.
  private static func synchronisations(_ records: [OpRecord]) -> [[Int]] {
    var sets: [Event: [Int]] = [:]
    var result: [[Int]] = []
    for (index, record) in records.enumerated() where record.kind == .set {
      sets[record.event, default: []].append(index)
    }
    var waits: [Event: Int] = [:]
    for (index, record) in records.enumerated() {
      switch record.kind {
      case .wait:
        // The k-th wait of an event belongs to its k-th set.
        let k = waits[record.event, default: 0]
        waits[record.event] = k + 1
        if let all = sets[record.event], k < all.count { result.append([all[k], index]) }
      case .barrierQueue: result.append([index])
      default: break
      }
    }
    return result
  }
}
