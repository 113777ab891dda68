import NPUSim
import Testing

@Suite struct JitterTests {
  typealias Made = (program: Program, inputs: [UInt32], outputs: [UInt32])

  /// The order of execution that a randomised timing gives.
  static func order(_ program: Program, seed: UInt64, percent: Int) throws -> [OrderStep] {
    let timing = try TimingEngine.run(
      program, TimingOptions(jitter: .init(seed: seed, percent: percent), timeline: true))
    let timeline = try #require(timing.timeline)
    return OrderStep.order(program) {
      (timeline[$0][$1].start, timeline[$0][$1].visible)
    }
  }

  @Test func `on clean programs no randomised timing changes a word`() throws {
    let programs = 40
    let timings = seededCount(1000) / programs + 1
    for seed in 0..<UInt64(programs) {
      let made = try CleanPrograms.make(seed: seed, ops: 40)
      #expect(made.program.defects.isEmpty, "seed \(seed)")
      let check = Checker.check(made.program)
      #expect(check.isClean, "seed \(seed): \(check.findings.first?.message ?? "")")
      let plain = try CleanPrograms.words(made)
      for timing in 0..<UInt64(timings) {
        let order = try Self.order(
          made.program, seed: 1000 * seed + timing, percent: [20, 90, 1000][Int(timing % 3)])
        let words = try CleanPrograms.words(made, order: order)
        #expect(words == plain, "program seed \(seed), timing seed \(1000 * seed + timing)")
      }
    }
  }

  /// A program without the k-th event: one set and the wait that it matches.
  static func delete(_ event: Int, from program: Program, core: Int) -> Program? {
    var counts: [Event: Int] = [:]
    var sets: [(event: Event, turn: Int, index: Int)] = []
    var waits: [Event: [Int]] = [:]
    for (index, record) in program.cores[core].enumerated() {
      if record.kind == .set {
        sets.append((record.event, counts[record.event, default: 0], index))
        counts[record.event, default: 0] += 1
      } else if record.kind == .wait {
        waits[record.event, default: []].append(index)
      }
    }
    guard event < sets.count else { return nil }
    let (name, turn, index) = sets[event]
    guard let list = waits[name], turn < list.count else { return nil }
    var mutant = program
    let gone = [index, list[turn]].sorted(by: >)
    for place in gone { mutant.cores[core].remove(at: place) }
    return mutant
  }

  @Test func `a program without one needed event gives other words in some timing`() throws {
    var needed = 0
    var caught = 0
    for seed in 0..<UInt64(seededCount(60)) {
      let made = try CleanPrograms.make(seed: 500 + seed, ops: 40)
      let plain = try CleanPrograms.words(made)
      var random = SeededGenerator(seed: seed)
      let core = random.below(made.program.cores.count)
      let sets = made.program.cores[core].filter { $0.kind == .set }.count
      guard sets > 0,
        let mutant = Self.delete(random.below(sets), from: made.program, core: core)
      else { continue }
      // Lowering leaves no redundant event: each is needed.
      let check = Checker.check(mutant)
      #expect(!check.races.isEmpty, "program seed \(500 + seed)")
      needed += 1
      let changes = try (0..<UInt64(40)).contains { timing in
        let order = try Self.order(mutant, seed: timing, percent: 1000)
        do {
          return try CleanPrograms.words((mutant, made.inputs, made.outputs), order: order)
            != plain
        } catch {
          // It read what was not written yet.
          return true
        }
      }
      if changes { caught += 1 }
    }
    // A race can be without effect on any output, and some need a rare timing.
    #expect(needed > 0)
    #expect(caught * 5 >= needed, "\(caught) of \(needed)")
  }

  /// Loads, computes and stores through rings of two slots: every word reaches the output.
  static func pipeline() throws -> Made {
    // Slow events, so that what a missing one lets through is not rare.
    var p = ProgramBuilder(
      machine: TestMachine.small(depth: nil, propagation: 20), catalogue: .standard)
    let x = try p.tensor("x", .f32, rows: 8, columns: 32, role: .input)
    let y = try p.tensor("y", .f32, rows: 8, columns: 32, role: .inputOutput)
    var input = try p.ring("in", in: UB.self, .f32, slots: 2, rows: 1, columns: 32)
    var output = try p.ring("out", in: UB.self, .f32, slots: 2, rows: 1, columns: 32)
    for row in 0..<8 {
      let a = input.next()
      let b = output.next()
      p.emit(LoadUB(a.tile(), from: x.tile(row: row, rows: 1)))
      p.emit(WithScalar<MulRule>(b.tile(), a.tile(), 3))
      p.emit(StoreHBM(y.tile(row: row, rows: 1), from: b.tile()))
    }
    return (p.build(), [x.id, y.id], [y.id])
  }

  @Test func `each event of a double-buffered pipeline is needed by some timing`() throws {
    let made = try Self.pipeline()
    let plain = try CleanPrograms.words(made)
    let sets = made.program.cores[0].filter { $0.kind == .set }.count
    #expect(sets > 20)
    for event in 0..<sets {
      let mutant = try #require(Self.delete(event, from: made.program, core: 0))
      let isCaught = try (0..<UInt64(1000)).contains { seed in
        let order = try Self.order(mutant, seed: seed, percent: 1000)
        do {
          return try CleanPrograms.words((mutant, made.inputs, made.outputs), order: order)
            != plain
        } catch {
          return true
        }
      }
      #expect(isCaught, "event \(event) of \(sets)")
    }
  }
}
