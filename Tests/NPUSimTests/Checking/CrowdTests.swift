import Foundation
import NPUSim
import Testing

/// Tiles that overlap in part: judged by rectangles, they must be judged as by pieces.
@Suite struct CrowdTests {
  /// 3,000 programs when `NPUSIM_FULL` is set, a tenth of them otherwise.
  static let seeds =
    0..<UInt64(
      ProcessInfo.processInfo.environment["NPUSIM_FULL"] == "1" ? 3_000 : 300)

  /// Every group of overlapping tiles is judged by its rectangles.
  static let crowded = CheckOptions(lints: true, pieceLimit: 0)
  /// None is.
  static let cut = CheckOptions(lints: true, pieceLimit: .max)

  @Test(arguments: [false, true])
  func `rectangles and pieces give the same findings`(isOrdered: Bool) throws {
    var clean = 0
    var racing = 0
    for seed in Self.seeds {
      var source = OverlappingPrograms(seed: seed)
      let program = try source.program(isOrdered: isOrdered)
      let pieces = Checker.check(program, Self.cut)
      #expect(
        CheckerOracleTests.withoutCauses(Checker.check(program, Self.crowded))
          == CheckerOracleTests.withoutCauses(pieces), "seed \(seed)")
      #expect(
        Checker.redundantEvents(program, Self.crowded)
          == Checker.redundantEvents(program, Self.cut), "events of seed \(seed)")
      #expect(
        Checker.removableEvents(program, Self.crowded)
          == Checker.removableEvents(program, Self.cut), "removable events of seed \(seed)")
      if pieces.isClean { clean += 1 } else { racing += 1 }
    }
    #expect(isOrdered ? clean > Self.seeds.count / 20 : racing > Self.seeds.count / 20)
  }

  @Test func `the latest races are races, and there are some if there are any`() throws {
    var listed = 0
    for seed in Self.seeds {
      var source = OverlappingPrograms(seed: seed)
      let program = try source.program(isOrdered: false)
      let all = Checker.check(program, Self.cut)
      for pieceLimit in [0, .max] {
        let some = Checker.check(
          program, CheckOptions(enumerationLimit: 0, pieceLimit: pieceLimit))
        #expect(Set(some.races).isSubset(of: all.races), "seed \(seed)")
        #expect(some.races.isEmpty == all.races.isEmpty, "seed \(seed)")
        #expect(some.isClean == all.isClean, "seed \(seed)")
        #expect(
          Set(some.races.flatMap { [$0.first, $0.second] }).count > 0 || all.races.isEmpty)
        listed += some.races.count
      }
    }
    #expect(listed > Self.seeds.count)
  }

  @Test func `a window that slides over a tensor is proved, and its race found`() throws {
    let count = 100_000
    var machine = TestMachine.small()
    machine.memories[Space.hbm.index].bytes = 1 << 30
    for hasEvent in [true, false] {
      var p = ProgramBuilder(machine: machine, catalogue: .standard)
      let kv = try p.tensor("kv", .bf16, rows: count + 500, columns: 8, role: .inputOutput)
      let a = try p.buffer("a", in: L1.self, .bf16, rows: 500, columns: 8)
      let b = try p.buffer("b", in: UB.self, .bf16, rows: 1, columns: 8)
      // Of the explicit program only the store's own event is written.
      let filled = Event(from: .vector, to: .store, id: 0)
      p.emit(Fill(b.tile(), 1))
      if !hasEvent { p.emit(SetEvent(filled)) }
      if !hasEvent { p.emit(WaitEvent(filled)) }
      p.emit(StoreHBM(kv.tile(row: count / 2, rows: 1), from: b.tile()))
      for row in 0..<count { p.emit(LoadL1(a.tile(), from: kv.tile(row: row, rows: 500))) }
      let result = Checker.check(p.build())
      #expect(result.proof.isProved == hasEvent)
      #expect(result.raceCount == (hasEvent ? 0 : 500))
    }
  }

  @Test func `tiles at shifting rows and columns are proved`() throws {
    var p = ProgramBuilder(
      machine: TestMachine.small(memory: 1 << 22), catalogue: .standard)
    let x = try p.tensor("x", .bf16, rows: 500, columns: 1_000, role: .input)
    let a = try p.buffer("a", in: UB.self, .bf16, rows: 500, columns: 2_000)
    for row in 0..<100 {
      for column in 0..<100 {
        p.emit(
          LoadUB(
            a.tile(row: row, column: 8 * column, rows: 250, columns: 200),
            from: x.tile(row: row, column: column, rows: 250, columns: 200)))
      }
    }
    #expect(Checker.check(p.build()).proof.isProved)
  }
}
