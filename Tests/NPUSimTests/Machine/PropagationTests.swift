import NPUSim
import Testing

@Suite struct PropagationTests {
  private func failure(_ setting: String) throws -> NPUError {
    let edge = try Presets.named("edge").configuration
    return try #require(throws: NPUError.self) { try edge.applying(set: setting) }
  }

  @Test func `a pair of queues has the propagation that is stated for it, the others the usual`()
    throws
  {
    let edge = try Presets.named("edge").configuration
    let machine = try edge.applying(
      set: #"events.propagation_between={"matrix->vector": 700, "load->scalar": 0}"#)
    #expect(machine.propagation(from: .matrix, to: .vector) == 700)
    #expect(machine.propagation(from: .load, to: .sequencer) == 0)
    #expect(machine.propagation(from: .vector, to: .matrix) == edge.eventPropagation)
    let stated = machine.json["events"]?["propagation_between"]
    #expect(stated?.text(.compact) == #"{"load->scalar":0,"matrix->vector":700}"#)
    #expect(try machine.applying(set: "events.propagation_between=null") == edge)
    #expect(edge.json["events"]?["propagation_between"] == nil as JSONValue)
  }

  @Test func `what is no pair of two queues is refused with what is one`() throws {
    let odd = try failure(#"events.propagation_between={"matrix-vector": 1}"#)
    #expect(odd.message.hasPrefix(#"events.propagation_between has the key "matrix-vector""#))
    #expect(odd.hint?.contains("load, feed, matrix, drain, vector, store") == true)
    #expect(
      try failure(#"events.propagation_between={"load->load": 1}"#).message
        .contains("two different queues"))
    #expect(
      try failure(#"events.propagation_between={"load->feed": -1}"#).message
        .hasPrefix("events.propagation_between.load->feed is the number -1"))
    #expect(
      try failure("events.propagation_between=5").message
        .hasSuffix(#"it must be null or an object such as {"matrix->vector": 700}"#))
  }

  /// A load, a vector micro-op that needs it, and what takes its place: at the edge, not a cycle sooner.
  @Test(arguments: [0, 1, 7, 100])
  func `a wait passes as many cycles after the set as its own pair takes`(cycles: Int) throws {
    var machine = TestMachine.small(depth: nil, propagation: 3)
    machine.propagationBetween[.load, .vector] = Int64(cycles)
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    let x = try p.tensor("x", .bf16, rows: 1, columns: 64, role: .input)
    let y = try p.tensor("y", .bf16, rows: 1, columns: 64, role: .output)
    let ub = try p.buffer("t", in: UB.self, .bf16, rows: 1, columns: 64)
    p.emit(LoadUB(ub.tile(), from: x.tile()))
    p.emit(Special<ExpRule>(ub.tile(), ub.tile()))
    p.emit(StoreHBM(y.tile(), from: ub.tile()))
    let program = p.build()
    let result = try TimingEngine.run(program, TimingOptions(timeline: true))
    let times = try #require(result.timeline)[0]
    let records = program.cores[0]
    for (source, target, propagation) in [
      (Queue.load, Queue.vector, cycles), (.vector, .store, 3),
    ] {
      let set = try #require(
        records.firstIndex { $0.kind == .set && $0.event.source == .queue(source) })
      let wait = try #require(
        records.firstIndex { $0.kind == .wait && $0.event.target == .queue(target) })
      let work = try #require(
        records.firstIndex { $0.kind == .data && $0.queue == source })
      let fired = max(times[set].free, times[work].visible)
      #expect(times[wait].start == fired + Int64(propagation))
    }
  }
}
