import NPUSim
import Testing

@Suite struct OrderCostsTests {
  private static let count = 24

  /// When each queue of a program of one core is done with its last micro-op.
  private func ends(slots: Int, _ machine: MachineConfiguration) throws -> [Int64] {
    let program = try LoweringTests.pipeline(count: Self.count, slots: slots, machine: machine)
    let result = try TimingEngine.run(program)
    return Queue.allCases.map { result.cycles - result.stall(.drained, $0, core: 0) }
  }

  private func costs(slots: Int, _ machine: MachineConfiguration) throws -> OrderCosts {
    let program = try LoweringTests.sequence(count: Self.count, slots: slots, machine: machine)
    return try OrderCosts(program, FoundOrder(written: program))
  }

  private func difference(_ a: [Int64], _ b: [Int64]) -> [Int64] { zip(a, b).map { $0 - $1 } }

  @Test func `slots cost what as many slots as tiles would save`() throws {
    // A queue that interlocks waits for its own results, whatever slots there are.
    let machine = TestMachine.small(interlocks: Queue.allCases.map { _ in false })
    let roomy = try ends(slots: Self.count, machine)
    for slots in [1, 2, 3, Self.count] {
      let costs = try costs(slots: slots, machine).queues
      let expected = difference(try ends(slots: slots, machine), roomy)
      #expect(costs.map(\.queue) == Queue.allCases)
      #expect(costs.map(\.slots) == expected, "\(slots) slots")
      if slots == 1 { #expect(expected.contains { $0 > 0 }) }
      if slots == Self.count { #expect(expected.allSatisfy { $0 == 0 }) }
    }
  }

  @Test func `event IDs and queue depth cost what a machine without their limits saves`() throws {
    for slots in [2, 8] {
      for (events, depth) in [(1, 1), (1, 8), (2, 2), (8, 4)] {
        let name = "\(slots) slots, \(events) IDs, depth \(depth)"
        var machine = TestMachine.small(depth: depth, eventsPerPair: events)
        let costs = try costs(slots: slots, machine).queues
        let own = try ends(slots: slots, machine)
        machine.eventsPerPair = nil
        #expect(
          costs.map(\.eventIDs) == difference(own, try ends(slots: slots, machine)), "\(name)")
        machine.eventsPerPair = events
        machine.queueDepth = nil
        #expect(
          costs.map(\.queueDepth) == difference(own, try ends(slots: slots, machine)), "\(name)")
      }
    }
  }

  @Test func `a machine without limits costs nothing but slots`() throws {
    var machine = TestMachine.small(eventsPerPair: nil)
    machine.queueDepth = nil
    let costs = try costs(slots: 1, machine).queues
    #expect(costs.allSatisfy { $0.eventIDs == 0 && $0.queueDepth == 0 })
    #expect(costs[Queue.store.index].slots > 0)
  }

  @Test func `an order that was found is made again where a limit does not bind`() throws {
    for slots in [2, 3, 5] {
      let program = try LoweringTests.sequence(
        count: Self.count, slots: slots, machine: TestMachine.small(eventsPerPair: 1000))
      let found = try OrderSearch.run(program)
      #expect(found.rule != nil, "\(slots) slots")
      let costs = try OrderCosts(program, found).queues
      #expect(costs.allSatisfy { $0.eventIDs == 0 }, "\(slots) slots")
    }
  }
}
