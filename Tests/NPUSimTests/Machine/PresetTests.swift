import Foundation
import NPUSim
import Testing

@Suite struct PresetTests {
  /// The clone this file was compiled in.
  private static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private func machine(_ name: String) throws -> MachineConfiguration {
    try Presets.named(name).configuration
  }

  /// Tera operations a second, a MAC counted as two.
  private func peakTOPS(_ machine: MachineConfiguration) -> Double {
    let peak = machine.matrix.pricing.peak
    return Double(peak.macs) / Double(peak.cycles) * 2 * Double(machine.clockHz)
      * Double(machine.cores) / 1e12
  }

  @Test func `every description of the folder is embedded byte for byte`() throws {
    let folder = Self.root.appending(path: "Configs")
    let files = try FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: nil
    ).filter { $0.pathExtension == "json" }
    #expect(
      Set(files.map { $0.deletingPathExtension().lastPathComponent }) == Set(Presets.names))
    for file in files {
      let name = file.deletingPathExtension().lastPathComponent
      let embedded = try #require(Presets.text(named: name))
      #expect(
        try Data(contentsOf: file) == Data(embedded.utf8),
        "\(name) differs: run Configs/embed.sh")
    }
  }

  @Test func `every preset is valid and is called what its file is called`() throws {
    for name in Presets.names {
      let text = try #require(Presets.text(named: name))
      #expect(MachineDescription.problems(json: Array(text.utf8), file: name) == [])
      let description = try Presets.named(name)
      #expect(description.configuration.name == name)
      #expect(!description.configuration.summary.isEmpty)
      #expect(description.provenance.count == ConfigurationParameter.all.count)
      #expect(description.rows.count == ConfigurationParameter.all.count)
      #expect(description.rows.allSatisfy { !$0.provenance.source.isEmpty && !$0.value.isEmpty })
    }
    #expect(try Presets.all().map(\.configuration.name) == Presets.names)
    #expect(Presets.names.first == Presets.defaultName)
  }

  @Test func `an unknown preset is refused with the closest name`() throws {
    let error = #expect(throws: NPUError.self) { try Presets.named("ascend-910b") }
    #expect(error?.category == .configuration)
    #expect(error?.message == "there is no machine \"ascend-910b\"")
    #expect(error?.hint == "did you mean \"ascend-910b-like\"?")
  }

  @Test func `edge has the published figures`() throws {
    let edge = try machine("edge")
    #expect(edge.clockHz == 1_000_000_000 && edge.cores == 1)
    #expect(abs(peakTOPS(edge) - 8.192) < 1e-9)
    #expect(edge.hbm.rate == Rate(256, over: 5))
    #expect(edge[.hbmToL1].rate == Rate(256, over: 5) && edge[.hbmToL1].latency == 120)
    #expect(edge[.ubToHBM].rate == Rate(256, over: 5) && edge[.ubToHBM].latency == 100)
    #expect(edge[.l1ToLeft].rate == Rate(128) && edge[.l1ToRight].rate == Rate(64))
    #expect(edge.vector.lanes == 32 && edge.vector.minimumOccupancy == 3)
    #expect(edge[.ub].bytes == 131_072 && edge[.left].bytes == 32768)
    #expect(edge[.l1].alignment == 32 && edge.hbm.burst == 64)
    #expect(edge.queueDepth == 16 && edge.eventsPerPair == 8 && edge.eventPropagation == 15)
    #expect(edge.matrix.overhead == 2 && edge.matrix.latency == 21)
    #expect(edge.interlocks.allSatisfy { $0 == .full } && edge.matrix.forwardTiles == 1)
    #expect(edge.hbm.readAfterWrite == .event)
    #expect(edge.matrix.accumulator == .bf16 && edge.sfuMode == .correctlyRounded)
  }

  @Test func `a 128-cube product takes 512 matrix cycles on edge and 256 on the 910B`() throws {
    for (name, cycles) in [("edge", 512), ("ascend-910b-like", 256)] {
      let unit = try machine(name).matrix
      #expect((128 / unit.m0) * (128 / unit.k0) * (128 / unit.n0) == cycles)
    }
  }

  @Test func `ascend-910b-like has the published figures`() throws {
    let machine = try machine("ascend-910b-like")
    #expect(machine.clockHz == 1_850_000_000 && machine.cores == 24)
    #expect(peakTOPS(machine).rounded() == 727)
    // 1.42 TB/s at 1.85 GHz, exactly.
    #expect(machine.hbm.rate == Rate(28400, over: 37))
    #expect(machine[.hbmToL1].rate == Rate(171) && machine[.hbmToUB].latency == 192)
    #expect(machine.interlocks.allSatisfy { $0 == .none } && machine.matrix.forwardTiles == 10)
    #expect(machine[.ub].bytes == 192 * 1024 && machine[.ub].banks?.groups == 16)
    let slopes = machine.vector.slopes
    #expect(slopes[VectorClass.rowMax.index] == 7 && slopes[VectorClass.rowSum.index] == 3)
    #expect(slopes[VectorClass.div.index] == 4 && slopes[VectorClass.gather.index] == 12)
    #expect(machine.queueDepth == 32)
  }

  @Test func `ascend-950-like has the published figures`() throws {
    let machine = try machine("ascend-950-like")
    #expect(machine.clockHz == 1_650_000_000 && machine.cores == 32)
    #expect(peakTOPS(machine).rounded() == 865)
    #expect(machine.hbm.rate == Rate(64400, over: 33))
    #expect(machine[.ub].bytes == 248 * 1024 && machine[.acc].bytes == 256 * 1024)
    let latencies = machine.vector.latencies
    #expect(latencies[VectorClass.add.index] == 7 && latencies[VectorClass.mul.index] == 8)
    #expect(latencies[VectorClass.exp.index] == 16 && latencies[VectorClass.div.index] == 17)
    #expect(latencies.allSatisfy { (7...22).contains($0) })
  }

  @Test func `tiny is small and ideal has no limit`() throws {
    let tiny = try machine("tiny")
    #expect(tiny.matrix.pricing.peak == (512, 1) && tiny.vector.lanes == 4)
    #expect(Space.allCases.filter(\.isOnChip).allSatisfy { tiny[$0].bytes == 1024 })
    #expect(TransferPath.allCases.allSatisfy { tiny[$0].rate == Rate(1) && tiny[$0].latency == 1 })
    #expect(tiny.hbm.rate == Rate(1) && tiny.vector.latencies.allSatisfy { $0 == 1 })
    let ideal = try machine("ideal")
    #expect(ideal.queueDepth == nil && ideal.eventsPerPair == nil && ideal.hbm.rate.isUnlimited)
    #expect(Space.allCases.allSatisfy { ideal[$0].bytes == nil })
    #expect(TransferPath.allCases.allSatisfy { ideal[$0].rate.isUnlimited })
    #expect(ideal.vector.slopes.allSatisfy { $0 == 0 } && ideal.vector.minimumOccupancy == 0)
    #expect(ideal.matrix.pricing.peak.cycles == 0 && ideal.eventPropagation == 0)
    #expect(ideal.vector.lanes == 64)
  }
}
