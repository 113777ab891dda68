import NPUSim
import Testing

/// The unit flag: what it orders, and what is said where it is never answered.
@Suite struct UnitFlagTests {
  private static let head = """
    .input x mxint8 [4, 32]
    .input w mxint8 [32, 4] {blocks=rows}
    .tensor y f32 [16, 4]
    .buf a l1 mxint8 [4, 32]
    .buf b l1 mxint8 [32, 4] {blocks=rows}
    .buf left left mxint8 [4, 32]
    .buf right right mxint8 [32, 4] {blocks=rows}
    .buf c acc acc [4, 4] {slots=2}
    load.l1 a <- x
    load.l1 b <- w set feed:0
    feed.left left <- a wait load:0
    feed.right right <- b set matrix:0
    wait feed->matrix:0

    """

  /// Chains of so many matmuls on one slot of the accumulator, each with its drain.
  private func chains(_ lengths: [Int], slots: Int = 1) -> String {
    var text = Self.head
    for (chain, length) in lengths.enumerated() {
      for step in 0..<length {
        let unit = step + 1 == length ? "release" : "hold"
        text +=
          "matrix.matmul c[\(chain % slots)] <- left, right "
          + "{accumulate=\(step > 0 ? "yes" : "no"), unit=\(unit)}\n"
      }
      text += "drain.hbm y[\(4 * chain) +: 4, :] <- c[\(chain % slots)] {unit=yes}\n"
    }
    return text
  }

  private func findings(_ text: String) throws -> [Finding] {
    Checker.check(try TextFixture.program(text)).findings
  }

  /// The micro-ops of a program that carry a flag.
  private func flagged(_ program: Program, core: Int = 0) -> [Int] {
    program.cores[core].indices.filter { program.cores[core][$0].hasUnitFlag }
  }

  // MARK: Order

  @Test func `flags alone order matmul, drain and the next chain`() throws {
    let program = try TextFixture.program(chains([3, 1, 2]))
    let check = Checker.check(program)
    #expect(check.findings.isEmpty && check.proof.isProved)
    // The first chain's holds wait for nothing; neither do those within a chain.
    let needless = [0, 1]
    for (place, op) in flagged(program).enumerated() {
      let mutant = UnitFlagOracle.removing(op, core: 0, from: program)
      let isClean = Checker.check(mutant).isClean
      #expect(isClean == needless.contains(place), "flag \(place)")
    }
  }

  @Test
  func `every flag of random pipelines is needed, or opens or goes on with a chain for nothing`()
    throws
  {
    var (needed, needless) = (0, 0)
    for seed in 0..<UInt64(seededCount(600)) {
      let program = try UnitPrograms.make(seed: seed).flags
      let check = Checker.check(program)
      #expect(check.isClean, "seed \(seed): \(check.findings.first?.message ?? "")")
      let oracle = UnitFlagOracle(program, program.cores[0])
      for op in flagged(program) {
        let record = program.cores[0][op]
        let isHold = UnitFlagOracle.flag(program, record)?.word == "hold"
        let mutant = UnitFlagOracle.removing(op, core: 0, from: program)
        let isClean = Checker.check(mutant).isClean
        #expect(isClean == (isHold && oracle.needs[op] == .nothing), "#\(op) of seed \(seed)")
        if isClean { needless += 1 } else { needed += 1 }
      }
    }
    #expect(needed > 200 && needless > 50, "\(needed) needed, \(needless) needless")
  }

  @Test func `events beside flags are redundant exactly if the program is proved without them`()
    throws
  {
    var (redundant, needed) = (0, 0)
    for seed in 0..<UInt64(seededCount(600)) {
      let program = try extended(try UnitPrograms.make(seed: seed).flags, seed)
      guard Checker.check(program).proof.isProved else { continue }
      let found = Set(Checker.redundantEvents(program))
      for pair in program.eventPairs {
        let isClean = Checker.check(program.removing([pair])).proof.isProved
        #expect(isClean == found.contains(pair), "\(pair) of seed \(seed)")
        if isClean { redundant += 1 } else { needed += 1 }
      }
      let smaller = program.removing(Checker.removableEvents(program))
      #expect(Checker.check(smaller).proof.isProved, "seed \(seed)")
      #expect(Checker.redundantEvents(smaller).isEmpty, "seed \(seed)")
    }
    #expect(redundant > 50 && needed > 200, "\(redundant) redundant, \(needed) needed")
  }

  /// A program with further events, some of which make up for others.
  private func extended(_ program: Program, _ seed: UInt64) throws -> Program {
    var random = SeededGenerator(seed: seed)
    var result = program
    for extra in 0..<3 {
      let queues = Queue.allCases.shuffled(using: &random)
      let event = Event(from: queues[0], to: queues[1], id: UInt16(60 + extra))
      var record = OpRecord(opcode: OpCatalogue.set, queue: queues[0], kind: .set)
      record.operandCount = 1
      record.words[0] = event.packed
      let place = random.below(result.cores[0].count)
      result.cores[0].insert(record, at: place)
      record.opcode = OpCatalogue.wait
      record.kind = .wait
      record.queue = queues[1]
      result.cores[0].insert(
        record, at: min(result.cores[0].count, place + 1 + random.below(8)))
    }
    return result
  }

  @Test func `a flag belongs to the exact tile: one that overlaps it in part is not ordered`()
    throws
  {
    let text =
      Self.head + """
        matrix.matmul c <- left, right {accumulate=no, unit=release}
        drain.hbm y[0 +: 4, :] <- c {unit=yes}
        matrix.matmul c[0 +: 2, :] <- left[0 +: 2, :], right {accumulate=no, unit=release}
        drain.hbm y[4 +: 2, :] <- c[0 +: 2, :] {unit=yes}
        """
    // The second matmul waits for no drain of its own tile, and overtakes that of the larger one.
    #expect(try findings(text).map(\.code) == [.H002])
  }

  // MARK: Deadlock

  @Test func `a drain that no matmul releases is D002, with what to write`() throws {
    let text =
      Self.head + """
        matrix.matmul c <- left, right {accumulate=no, unit=hold}
        drain.hbm y[0 +: 4, :] <- c {unit=yes}
        """
    let found = try findings(text).filter { $0.code == .D002 }
    #expect(found.count == 1 && found.first?.sites.map(\.op) == [9])
    #expect(
      found.first?.message
        == """
        a unit flag is never answered:
          drain: drain.hbm #9 (queue drain) waits until a matmul with {unit=release} fills \
        c[0][0 +: 4, 0 +: 4], which none does again
        """)
    #expect(
      found.first?.fix
        == "write {unit=release} at the last matmul of c[0][0 +: 4, 0 +: 4] before it, or remove "
        + "{unit=yes} from the drain")
  }

  @Test func `a second chain without a drain between is D002, with what to write`() throws {
    let text =
      Self.head + """
        matrix.matmul c <- left, right {accumulate=no, unit=release}
        matrix.matmul c <- left, right {accumulate=yes, unit=release}
        drain.hbm y[0 +: 4, :] <- c
        """
    let found = try findings(text).filter { $0.code == .D002 }
    #expect(
      found.map(\.message) == [
        """
        a unit flag is never answered:
          matrix: matrix.matmul #9 (queue matrix) waits until a drain with {unit=yes} empties \
        c[0][0 +: 4, 0 +: 4], which none does again
        """
      ])
    #expect(found.first?.fix.hasPrefix("write {unit=yes} at the drain of c[0]") == true)
  }

  @Test func `a flag and an event that wait for each other are D001`() throws {
    let text =
      Self.head + """
        wait drain->matrix:0
        matrix.matmul c <- left, right {accumulate=no, unit=release}
        drain.hbm y[0 +: 4, :] <- c {unit=yes}
        set drain->matrix:0
        """
    let found = try findings(text).filter { $0.code == .D001 }
    #expect(found.count == 1)
    #expect(
      found.first?.message.contains(
        "released by matrix.matmul #9 (queue matrix), which stands behind sync.wait #8") == true)
  }

  @Test func `a full queue before a flag that is not dispatched is D003`() throws {
    var text = Self.head
    for chain in 0..<3 {
      text += "matrix.matmul c <- left, right {accumulate=no, unit=release}\n"
      if chain == 2 {
        for row in 0..<3 { text += "drain.hbm y[\(4 * row) +: 4, :] <- c {unit=yes}\n" }
      }
    }
    // Three chains before the first drain: the second and third fill a queue of two, and are followed.
    let shallow = TestMachine.small(depth: 1)
    let found = Checker.check(try TextFixture.program(text, machine: shallow)).findings
    #expect(found.contains { $0.code == .D003 })
    #expect(
      found.first { $0.code == .D003 }?.message.contains(
        "waits until a drain with {unit=yes} empties c[0][0 +: 4, 0 +: 4], which is not dispatched yet"
      )
        == true)
  }

  // MARK: Time and values

  @Test func `a drain starts when its matmul is visible, and its wait is a wait for an event`()
    throws
  {
    let program = try TextFixture.program(chains([2, 1]))
    let options = TimingOptions(timeline: true)
    let result = try TimingEngine.run(program, options)
    let instants = try #require(result.timeline)[0]
    // Behind the eight of the head: two matmuls, a drain, a matmul, a drain.
    for op in 10...12 { #expect(instants[op].start == instants[op - 1].visible) }
    let drain = result.cores[0].queues[Queue.drain.index]
    let idle =
      instants[10].start - instants[10].dispatch + instants[12].start - instants[10].free
    #expect(drain[.waitEvent] == idle && drain[.interlock] == 0)
    let path = try #require(try BindingPath.of(program, result, options))
    #expect(path.shares.reduce(0) { $0 + $1.cycles } == result.cycles)
  }

  @Test func `values do not depend on who orders, nor on the timing`() throws {
    for seed in 0..<UInt64(seededCount(400)) {
      let made = try UnitPrograms.make(seed: seed)
      let plain = try CleanPrograms.words((made.events, made.inputs, made.outputs))
      #expect(try CleanPrograms.words(made.flagged) == plain, "seed \(seed)")
      for timing in 0..<UInt64(4) {
        let order = try JitterTests.order(
          made.flags, seed: 100 * seed + timing, percent: [20, 1000][Int(timing % 2)])
        let words = try CleanPrograms.words(made.flagged, order: order)
        #expect(words == plain, "seed \(seed), timing \(timing)")
      }
    }
  }

  @Test func `a drain that stands before its matmul in the program waits for it`() throws {
    let lines = chains([1, 1]).split(separator: "\n").map(String.init)
    // All drains first.
    let text = lines.filter { !$0.hasPrefix("matrix.") } + lines.filter { $0.hasPrefix("matrix.") }
    let program = try TextFixture.program(text.joined(separator: "\n"))
    #expect(Checker.check(program).findings.isEmpty)
    let state = MachineState(program)
    for id in 0..<2 {
      let buffer = program.buffers[id]
      try state.fill(
        UInt32(id), bytes: Array(repeating: 3, count: buffer.payloadExtent),
        scales: Array(repeating: 120, count: buffer.scaleExtent))
    }
    _ = try FunctionalEngine.run(program, state: state)
    let stuck = UnitFlagOracle.removing(
      try #require(flagged(program).last), core: 0, from: program)
    #expect(throws: NPUError.self) {
      _ = try FunctionalEngine.run(stuck, state: MachineState(stuck))
    }
    #expect(throws: NPUError.self) { _ = try TimingEngine.run(stuck) }
  }

  // MARK: Text

  @Test func `a text with flags is printed and read again as the same program`() throws {
    for lengths in [[1, 1, 1, 1], [2, 2, 2], [3, 1, 2]] {
      let program = try TextFixture.program(chains(lengths, slots: 2))
      try TextRoundTripTests.check(program, "\(lengths)")
    }
  }

  @Test func `a word that no flag has is refused at its place`() throws {
    #expect(
      TextFixture.errors(
        Self.head + "matrix.matmul c <- left, right {accumulate=no, unit=set}\n"
      ).first?.hasPrefix("14:") == true)
  }
}
