import NPUSim
import Testing

@Suite struct OrderSearchTests {
  /// What the checker has against the order of a program; that buffers share bytes is meant.
  private static func errors(_ program: Program) -> [String] {
    Checker.check(program).findings.filter { $0.severity == .error && $0.code != .M004 }
      .map(\.message)
  }

  @Test func `no order that is found changes a word, and none is slower than the written one`()
    throws
  {
    for seed in 0..<UInt64(seededCount(10_000)) {
      let made = try SequentialPrograms.make(seed: seed, steps: 8 + Int(seed % 40))
      let words = try SequentialPrograms.words(made, made.isolated)
      let found = try OrderSearch.run(made.sequence, threads: 1 + Int(seed % 2))
      #expect(found.program.defects.isEmpty, "seed \(seed)")
      #expect(try SequentialPrograms.words(made, found.program) == words, "seed \(seed)")
      #expect(Self.errors(found.program) == [], "seed \(seed)")
      let written = try #require(found.writtenCycles)
      let cycles = try #require(found.cycles)
      #expect(cycles <= written && (found.rule == nil) == (cycles == written), "seed \(seed)")
      #expect(try TimingEngine.run(found.program).cycles == cycles, "seed \(seed)")
      #expect(try TimingEngine.run(made.sequence.lowered()).cycles == written, "seed \(seed)")
      let outputs = words.prefix(made.outputs.count)
      for timing in 0..<UInt64(5) {
        let order = try JitterTests.order(
          found.program, seed: 5 * seed + timing, percent: [20, 90, 1000][Int(timing % 3)])
        let timed = try SequentialPrograms.words(made, found.program, order: order)
        #expect(timed == Array(outputs), "seed \(seed), timing \(5 * seed + timing)")
      }
    }
  }

  @Test func `a glance takes no less than a whole search, and that no less than the busiest queue`()
    throws
  {
    for seed in 0..<UInt64(seededCount(500)) {
      let made = try SequentialPrograms.make(seed: 5 * seed, steps: 40)
      let whole = try OrderSearch.run(made.sequence)
      let cycles = try #require(whole.cycles)
      let glance = try OrderSearch.glance(made.sequence)
      #expect(try #require(glance) >= cycles, "seed \(seed)")
      let least = try made.sequence.leastCycles()
      #expect(least <= cycles && cycles <= whole.writtenCycles ?? 0, "seed \(seed)")
      #expect(try least >= Bounds.of(whole.program).attainable, "seed \(seed)")
    }
  }

  @Test func `every rule gives the words of sequential execution, and nothing to the checker`()
    throws
  {
    for seed in 0..<UInt64(seededCount(1000)) {
      let made = try SequentialPrograms.make(seed: ~seed, steps: 40)
      let words = try SequentialPrograms.words(made, made.isolated)
      for found in try OrderSearch.all(made.sequence) {
        let name = "seed \(seed), \(found.rule?.name ?? "written")"
        #expect(found.cycles != nil, "\(name)")
        #expect(try SequentialPrograms.words(made, found.program) == words, "\(name)")
        #expect(Self.errors(found.program) == [], "\(name)")
      }
    }
  }

  @Test func `the same order is found twice, and with any number of threads`() throws {
    for seed in 0..<UInt64(seededCount(200)) {
      let made = try SequentialPrograms.make(seed: 3 * seed, steps: 60)
      let first = try OrderSearch.run(made.sequence, threads: 1)
      for threads in [1, 2, 3, 8] {
        let again = try OrderSearch.run(made.sequence, threads: threads)
        #expect(again.program.cores == first.program.cores, "seed \(seed), \(threads) threads")
        #expect(again.rule == first.rule && again.places == first.places, "seed \(seed)")
      }
    }
  }

  @Test func `no micro-op passes one that it conflicts with, and none passes a barrier`() throws {
    for seed in 0..<UInt64(seededCount(300)) {
      let made = try SequentialPrograms.make(seed: seed, steps: 30)
      let written = WrittenConflicts(made.sequence)
      for found in try OrderSearch.all(made.sequence) {
        for core in written.cores.indices {
          let places = found.places[core]
          let list = written.cores[core]
          for (later, record) in list.records.enumerated() {
            let own = found.program.cores[core][Int(places[later])]
            #expect(own.kind == record.kind && own.scope == record.scope, "seed \(seed)")
            for earlier in list.before[later] where places[earlier] >= places[later] {
              Issue.record("seed \(seed), core \(core): \(later) passes \(earlier)")
            }
          }
        }
      }
    }
  }

  @Test func `rules get fewer as programs get longer, and what is held stays linear`() throws {
    for (count, most) in [(200, 40), (1500, 12), (4000, 4)] {
      let program = try LoweringTests.sequence(
        count: count, slots: 3, machine: TestMachine.small(memory: 1 << 20))
      let found = try OrderSearch.run(program, threads: 1)
      let search = try #require(found.search)
      #expect((3...most).contains(search.rules), "\(count) tiles: \(search)")
      // A program of 40 bytes a micro-op that is tried, and what it takes to make it.
      #expect(search.bytes <= 80 * found.program.opCount, "\(count) tiles: \(search)")
    }
  }

  @Test func `a program with a defect keeps its order and has no cycles`() throws {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let a = try p.buffer("a", in: UB.self, .f32, rows: 2, columns: 8)
    p.emit(Fill(a.tile(row: 1, rows: 2), 1))
    let found = try OrderSearch.run(p.sequential())
    #expect(found.cycles == nil && found.writtenCycles == nil && found.rule == nil)
    #expect(found.program.defects.count == 1)
    #expect(found.program.cores[0].count == 1)
  }

  @Test func `a core with explicit events is kept as written beside one that is not`() throws {
    var p = ProgramBuilder(machine: TestMachine.small(cores: 2), catalogue: .standard)
    let x = try p.tensor("x", .f32, rows: 64, columns: 8, role: .input)
    let y = try p.tensor("y", .f32, slots: 2, rows: 64, columns: 8, role: .output)
    let event = Event(from: .load, to: .store, id: 0)
    let back = Event(from: .store, to: .load, id: 0)
    for core in 0..<2 {
      p.begin(core: core)
      let a = try p.buffer("a\(core)", in: UB.self, .f32, slots: 4, rows: 1, columns: 8)
      for row in 0..<64 {
        if core == 0 && row > 0 { p.emit(WaitEvent(back)) }
        p.emit(LoadUB(a.tile(slot: row % 4), from: x.tile(row: row, rows: 1)))
        if core == 0 {
          p.emit(SetEvent(event))
          p.emit(WaitEvent(event))
        } else {
          p.emit(WithScalar<AddRule>(a.tile(slot: row % 4), a.tile(slot: row % 4), 1))
        }
        p.emit(StoreHBM(y.tile(slot: core, row: row, rows: 1), from: a.tile(slot: row % 4)))
        if core == 0 && row < 63 { p.emit(SetEvent(back)) }
      }
    }
    let sequence = p.sequential()
    let written = sequence.lowered()
    let found = try OrderSearch.run(sequence)
    #expect(Checker.check(found.program).isClean)
    #expect(found.program.cores[0] == written.cores[0])
    for order in try OrderSearch.all(sequence) {
      #expect(order.program.cores[0] == written.cores[0])
    }
  }
}
