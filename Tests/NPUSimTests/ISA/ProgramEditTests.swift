import NPUSim
import Testing

@Suite struct ProgramEditTests {
  private typealias Bench = CheckerCaseTests.Bench

  private func kinds(_ program: Program) -> [OpKind] { program.cores[0].map(\.kind) }

  @Test func `an event is set right after its first end and waited for right before its second`()
    throws
  {
    var t = try Bench()
    t.load()
    t.exp()
    let program = t.p.build()
    let edited = program.applying([.event(core: 0, from: 0, to: 1)])
    #expect(kinds(edited) == [.data, .set, .wait, .data])
    #expect(edited.cores[0][1].event == Event(from: .load, to: .vector, id: 0))
    #expect(edited.cores[0][1].event == edited.cores[0][2].event)
    #expect(!Checker.check(program).isClean)
    #expect(!Checker.check(edited).findings.contains { $0.code == .H001 })
  }

  @Test func `an event takes an ID that its queues do not use`() throws {
    var t = try Bench()
    t.load()
    t.sync(.load, .vector, 2)
    t.exp()
    t.load(1)
    t.exp(1)
    let edited = t.p.build().applying([.event(core: 0, from: 4, to: 5)])
    #expect(edited.cores[0].filter { $0.kind == .set }.map(\.event.id) == [2, 3])
  }

  @Test func `edges that others imply make no event`() throws {
    var t = try Bench()
    t.load(0)
    t.load(1)
    t.exp(0)
    t.exp(1)
    let edited = t.p.build().applying([
      .event(core: 0, from: 0, to: 2), .event(core: 0, from: 1, to: 2),
      .event(core: 0, from: 1, to: 3),
    ])
    #expect(kinds(edited) == [.data, .data, .set, .wait, .data, .data])
  }

  @Test func `IDs are taken in turn`() throws {
    var t = try Bench()
    for slot in [0, 1, 0, 1] {
      t.load(slot)
      t.exp(slot)
    }
    let edges = (0..<4).map { ProgramEdit.event(core: 0, from: 2 * $0, to: 2 * $0 + 1) }
    let edited = t.p.build().applying(edges, identifiers: 2)
    #expect(edited.cores[0].filter { $0.kind == .set }.map(\.event.id) == [0, 1, 0, 1])
  }

  @Test func `one barrier serves every pair that it lies between`() throws {
    var t = try Bench()
    t.exp(0)
    t.exp(0)
    t.exp(1)
    t.exp(1)
    let edited = t.p.build().applying([
      .barrier(core: 0, from: 0, to: 1), .barrier(core: 0, from: 0, to: 3),
      .barrier(core: 0, from: 2, to: 3),
    ])
    #expect(kinds(edited) == [.data, .barrierQueue, .data, .data, .barrierQueue, .data])
    #expect(edited.cores[0][1].queue == .vector)
  }

  @Test func `edits that name no micro-op or core change nothing`() throws {
    var t = try Bench()
    t.load()
    let program = t.p.build()
    let edited = program.applying([
      .event(core: 0, from: 0, to: 9), .barrier(core: 0, from: -1, to: 0),
      .remove(core: 0, ops: [7]), .remove(core: 3, ops: [0]),
    ])
    #expect(edited.cores == program.cores)
  }
}
