import NPUSim
import Testing

/// MXINT8 buffers that are placed over one another share scales where they share bytes.
@Suite struct PlacedScaleTests {
  /// Bytes of tiles: payload and scale bytes apart.
  private func bytes(_ layout: TileLayout, _ tile: TileRef) -> (payload: Set<Int>, scales: Set<Int>)
  {
    func set(_ regions: [Region]) -> Set<Int> {
      Set(
        regions.flatMap { region in
          (0..<region.rows).flatMap { row in
            (0..<region.runBytes).map { region.base + row * region.pitch + $0 }
          }
        })
    }
    return (set(layout.payloadRegions(tile)), set(layout.scaleRegions(tile)))
  }

  @Test(arguments: [1, 4, 32, 64, 512])
  func `scales of a side array are shared exactly where payload is`(alignment: Int) throws {
    for seed in 0..<UInt64(seededCount(600)) {
      var random = SeededGenerator(seed: seed)
      var machine = TestMachine.small()
      machine.memories[Space.l1.index].alignment = alignment
      var p = ProgramBuilder(machine: machine, catalogue: .standard)
      var tiles: [TileRef] = []
      for index in 0..<4 {
        let axis: BlockAxis = random.below(2) == 0 ? .alongColumns : .alongRows
        let buffer = try p.buffer(
          "b\(index)", in: L1.self, .mxint8, slots: 1 + random.below(2), rows: 1 + random.below(70),
          columns: 1 + random.below(70), axis: axis,
          at: random.below(3) == 0 ? nil : alignment * random.below(max(4, 2048 / alignment)))
        tiles.append(buffer.tile(slot: random.below(buffer.slots)).ref)
      }
      let program = p.build()
      let layout = TileLayout(program)
      for (a, b) in zip(tiles, tiles.dropFirst()) {
        let one = bytes(layout, a)
        let other = bytes(layout, b)
        #expect(one.scales.count == a.scaleCount, "seed \(seed)")
        if one.payload.isDisjoint(with: other.payload) {
          // Whole blocks that lie apart have scales apart.
          let padded = { (tile: TileRef) in
            Set(
              layout.payloadRegions(tile, padded: true).flatMap { region in
                (0..<region.rows).flatMap { row in
                  (0..<region.runBytes).map { region.base + row * region.pitch + $0 }
                }
              })
          }
          if a.axis == b.axis && padded(a).isDisjoint(with: padded(b)) {
            #expect(one.scales.isDisjoint(with: other.scales), "seed \(seed)")
          }
        }
      }
      // The same declaration once more, over the first, has the same scales.
      let first = program.buffers[Int(tiles[0].buffer)]
      var again = ProgramBuilder(machine: machine, catalogue: .standard)
      _ = try again.buffer("other", in: L1.self, .bf16, rows: 3, columns: 16)
      _ = try again.buffer(
        "twin", in: L1.self, .mxint8, slots: first.slots, rows: first.rows,
        columns: first.columns, axis: first.axis, at: first.base)
      var twin = again.build().buffers[1]
      twin.name = first.name
      #expect(twin == first, "seed \(seed)")
    }
  }

  @Test func `automatic buffers keep apart in payload and scales`() throws {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    _ = try p.buffer("a", in: L1.self, .bf16, rows: 3, columns: 40)
    let b = try p.buffer("b", in: L1.self, .mxint8, slots: 2, rows: 5, columns: 40)
    let c = try p.buffer("c", in: L1.self, .mxint8, rows: 40, columns: 5, axis: .alongRows)
    let layout = TileLayout(p.build())
    let (one, two) = (bytes(layout, b.tile(slot: 1).ref), bytes(layout, c.tile().ref))
    #expect(one.payload.isDisjoint(with: two.payload) && one.scales.isDisjoint(with: two.scales))
    #expect(one.scales.count == 10 && two.scales.count == 10)
  }

  @Test func `a view of an operand memory feeds what another buffer loaded`() throws {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let m = try p.tensor("m", .mxint8, rows: 8, columns: 64, role: .input)
    let part = try p.buffer("part", in: L1.self, .mxint8, rows: 4, columns: 64, at: 256)
    let whole = try p.buffer("whole", in: L1.self, .mxint8, rows: 8, columns: 64, at: 0)
    let left = try p.buffer("left", in: Left.self, .mxint8, rows: 4, columns: 64)
    p.emit(LoadL1(whole.tile(), from: m.tile()))
    p.emit(CoreBarrier())
    p.emit(FeedLeft(left.tile(), from: part.tile()))
    let tap = try p.tapTensor("fed", .mxint8, rows: 4, columns: 64)
    p.tap(left.tile(), tensor: tap)
    let program = p.build()
    let check = Checker.check(program)
    #expect(check.findings.isEmpty, "\(check.findings.map(\.message))")
    let state = MachineState(program)
    let payload = (0..<512).map { UInt8(truncatingIfNeeded: $0) }
    try state.fill(m.id, bytes: payload, scales: (0..<16).map { 100 + $0 })
    let taps = try FunctionalEngine.run(program, state: state).taps
    #expect(taps[tap].payload == Array(payload[256...]))
    #expect(taps[tap].scales == (8..<16).map { 100 + $0 })
  }

  @Test func `bytes without scales are no MXINT8 block`() throws {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let x = try p.tensor("x", .bf16, rows: 8, columns: 32, role: .input)
    let words = try p.buffer("words", in: L1.self, .bf16, rows: 8, columns: 32, at: 0)
    let blocks = try p.buffer("blocks", in: L1.self, .mxint8, rows: 8, columns: 64, at: 0)
    let left = try p.buffer("left", in: Left.self, .mxint8, rows: 8, columns: 64)
    p.emit(LoadL1(words.tile(), from: x.tile()))
    p.emit(CoreBarrier())
    p.emit(FeedLeft(left.tile(), from: blocks.tile()))
    #expect(Checker.check(p.build()).findings.map(\.code) == [.I001])
  }

  @Test func `two buffers over the same blocks race where nothing orders them`() throws {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard, isExplicit: true)
    let m = try p.tensor("m", .mxint8, rows: 8, columns: 64, role: .input)
    let a = try p.buffer("a", in: L1.self, .mxint8, rows: 8, columns: 64, at: 0)
    let b = try p.buffer("b", in: L1.self, .mxint8, rows: 8, columns: 64, at: 0)
    let left = try p.buffer("left", in: Left.self, .mxint8, rows: 8, columns: 64)
    p.emit(LoadL1(a.tile(), from: m.tile()))
    p.emit(FeedLeft(left.tile(), from: b.tile()))
    let check = Checker.check(p.build())
    #expect(check.races.map(\.code) == [.H001], "\(check.findings.map(\.message))")
  }

  @Test func `in ub a buffer placed within another one shares its scales`() throws {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let m = try p.tensor("m", .mxint8, rows: 8, columns: 64, role: .input)
    let y = try p.tensor("y", .mxint8, rows: 2, columns: 64, role: .output)
    let whole = try p.buffer("whole", in: UB.self, .mxint8, rows: 8, columns: 64)
    let part = try p.buffer("part", in: UB.self, .mxint8, rows: 2, columns: 64, at: 128)
    let beyond = try p.buffer("beyond", in: UB.self, .mxint8, rows: 8, columns: 64, at: 128)
    p.emit(LoadUB(whole.tile(), from: m.tile()))
    p.emit(CoreBarrier())
    p.emit(StoreHBM(y.tile(), from: part.tile()))
    let program = p.build()
    #expect(Checker.check(program).findings.isEmpty)
    let (outer, inner) = (program.buffers[2], program.buffers[3])
    #expect(inner.scaleBase == outer.scaleBase + 4 && inner.scalePitch == 2)
    // What reaches further has scales of its own, behind everything.
    let other = program.buffers[Int(beyond.id)]
    #expect(other.scaleBase >= outer.scaleBase + outer.scaleExtent)
  }
}
