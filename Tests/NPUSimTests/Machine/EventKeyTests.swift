import NPUSim
import Testing

/// The keys that say which events a machine has and what setting one twice does.
@Suite struct EventKeyTests {
  private func failure(_ setting: String) throws -> NPUError {
    let edge = try Presets.named("edge").configuration
    return try #require(throws: NPUError.self) { try edge.applying(set: setting) }
  }

  private func setting(_ path: String, of machine: MachineConfiguration) throws -> JSONValue {
    try ConfigurationParameter.named(path).value(in: machine)
  }

  @Test func `pairs are all or a list, and read back as what they were`() throws {
    let edge = try Presets.named("edge").configuration
    #expect(edge.eventPairs == .all && edge.fusedEventPairs == .none)
    #expect(try setting("events.pairs", of: edge).text(.compact) == "\"all\"")
    let some = try edge.applying(set: #"events.pairs=["vector->store","load->vector"]"#)
    #expect(some.eventPairs.contains(.load, .vector) && some.eventPairs.contains(.vector, .store))
    #expect(some.eventPairs.list.count == 2 && !some.eventPairs.contains(.vector, .load))
    // In the order of the queues.
    let written = try setting("events.pairs", of: some).text(.compact)
    #expect(written == #"["load->vector","vector->store"]"#)
    #expect(try edge.applying(set: "events.pairs=\(written)") == some)
    let none = try edge.applying(set: "events.pairs=[]")
    #expect(none.eventPairs == .none && none.allEventPairs == .none)
    // A list of every pair is all of them.
    let names = QueuePairs.all.list.map { "\"\($0.source.name)->\($0.target.name)\"" }
    #expect(names.count == 42)
    #expect(
      try none.applying(set: "events.pairs=[\(names.joined(separator: ","))]").eventPairs == .all)
    let fused = try none.applying(set: #"events.fused_pairs=["drain->vector"]"#)
    #expect(fused.allEventPairs.contains(.drain, .vector) && fused.eventPairs == .none)
  }

  @Test(
    arguments: [
      (.undefined, "undefined", 1), (.blocks, "blocks", nil), (.counts(1), "counts 1", 1),
      (.counts(1024), "counts 1024", 1024),
    ] as [(EventOverwrite, String, Int?)])
  func `each thing that a set may do reads back as what it was`(
    _ overwrite: EventOverwrite, _ text: String, _ capacity: Int?
  ) throws {
    let machine = try Presets.named("edge").configuration.applying(set: "events.overwrite=\(text)")
    #expect(machine.eventOverwrite == overwrite && overwrite.capacity == capacity)
    #expect(try setting("events.overwrite", of: machine).text(.compact) == "\"\(text)\"")
  }

  @Test(arguments: [
    ("events.pairs=some", "\"all\" or an array of pairs such as \"load->vector\""),
    (#"events.pairs=["load->load"]"#, "two different queues, such as \"load->vector\""),
    (#"events.pairs=["load->vectors"]"#, "two different queues, such as \"load->vector\""),
    (#"events.pairs=["load->vector->store"]"#, "two different queues"),
    (#"events.pairs=[3]"#, "an element of events.pairs is the number 3"),
    (#"events.pairs=["load->vector","load->vector"]"#, "\"load->vector\" twice"),
    ("events.overwrite=counts", "\"undefined\", \"blocks\", or \"counts N\" with N from 1 to 1024"),
    ("events.overwrite=counts 0", "with N from 1 to 1024"),
    ("events.overwrite=counts 1025", "with N from 1 to 1024"),
    ("events.overwrite=counts 1 2", "with N from 1 to 1024"),
    ("events.overwrite=true", "events.overwrite is true; it must be \"undefined\""),
  ])
  func `what is no pair of queues, and no count, is refused with what is needed`(
    _ setting: String, _ needed: String
  ) throws {
    let error = try failure(setting)
    #expect(error.category == .configuration && error.message.contains(needed), "\(error.message)")
  }

  @Test(arguments: ["ascend-910b-like", "ascend-950-like"])
  func `the Ascend machines have the published pairs, and those between two cores beside`(
    _ name: String
  ) throws {
    let description = try Presets.named(name)
    let machine = description.configuration
    let cube: [EventEnd] = [.load, .feed, .matrix, .drain]
    for source in cube {
      for target in cube where source != target {
        #expect(machine.eventPairs.contains(source, target), "\(source) to \(target)")
      }
    }
    // Cube and vector are cores of their own: only what one core here stands for both for.
    for (source, target) in machine.eventPairs.list where source == .vector || target == .vector {
      #expect(![.feed, .matrix, .drain].contains(source == .vector ? target : source))
    }
    #expect(machine.fusedEventPairs.contains(.drain, .vector))
    #expect(machine.fusedEventPairs.contains(.vector, .drain))
    #expect(!machine.allEventPairs.contains(.matrix, .vector))
    #expect(!machine.allEventPairs.contains(.vector, .matrix))
    #expect(machine.eventOverwrite == .undefined)
    #expect(description.provenance["events.pairs"]?.kind == .published)
    #expect(description.provenance["events.fused_pairs"]?.kind == .assumed)
    #expect(description.provenance["events.overwrite"]?.kind == .published)
  }

  @Test func `the shortest chains between two queues are all there are of their length`() {
    let pairs = QueuePairs([
      (source: .load, target: .feed), (source: .feed, target: .matrix),
      (source: .load, target: .vector), (source: .vector, target: .matrix),
      (source: .matrix, target: .store),
    ])
    #expect(
      pairs.chains(from: .load, to: .store) == [
        [.load, .feed, .matrix, .store], [.load, .vector, .matrix, .store],
      ])
    #expect(pairs.chains(from: .load, to: .feed) == [[.load, .feed]])
    #expect(pairs.chains(from: .store, to: .load).isEmpty)
  }
}
