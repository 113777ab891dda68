import NPUSim
import Testing

@Suite struct CatalogueTests {
  static let machine = TestMachine.small(lanes: 8, memory: 1 << 20)

  @Test func `every mnemonic is listed once and names its queue or family`() {
    let entries = OpCatalogue.standard.entries
    #expect(Set(entries.map(\.mnemonic)).count == entries.count)
    for (index, entry) in entries.enumerated() {
      #expect(Int(entry.opcode) == index)
      #expect(OpCatalogue.standard.opcode(named: entry.mnemonic) == entry.opcode)
      #expect(OpCatalogue.standard.opcode(of: entry.type) == entry.opcode)
      if entry.kind == .data && !entry.isOpaque {
        #expect(entry.mnemonic.hasPrefix(entry.queue.name + "."))
      }
      #expect(entry.operands.count <= OpRecord.maximumOperands)
      let names = entry.operands.map(\.name)
      #expect(Set(names).count == names.count, "\(entry.mnemonic)")
    }
  }

  @Test func `a micro-op with several results fills up none`() {
    let accesses = OpCatalogue.standard.entries.map { entry in
      entry.operands.compactMap { operand -> Access? in
        guard case .tile(_, let access) = operand.kind, access.contains(.write) else { return nil }
        return access
      }
    }
    let several = accesses.filter { $0.count > 1 }
    #expect(!several.isEmpty && several.joined().allSatisfy { !$0.contains(.zeroFill) })
  }

  @Test func `nothing that writes to HBM fills up a last block`() {
    let results = OpCatalogue.standard.entries.flatMap { entry in
      entry.operands.compactMap { operand -> (String, Space, Access)? in
        guard case .tile(let space, let access) = operand.kind, access.contains(.write) else {
          return nil
        }
        return (entry.mnemonic, space, access)
      }
    }
    let filling = results.filter { $0.2.contains(.zeroFill) }
    #expect(filling.count > 3 && results.contains { $0.1 == .hbm })
    for (mnemonic, space, _) in filling { #expect(space != .hbm, "\(mnemonic)") }
  }

  @Test func `lowering finds its micro-ops where it expects them`() {
    let entries = OpCatalogue.standard.entries
    #expect(entries[Int(OpCatalogue.set)].kind == .set)
    #expect(entries[Int(OpCatalogue.wait)].kind == .wait)
    #expect(entries[Int(OpCatalogue.barrierQueue)].kind == .barrierQueue)
    #expect(entries[Int(OpCatalogue.barrierAll)].kind == .barrierAll)
  }

  @Test(
    arguments: OpCatalogue.standard.entries.filter { $0.kind == .data && !$0.isOpaque }
      .map(\.mnemonic))
  func `every micro-op equals its naive reading on random legal operands`(mnemonic: String) throws {
    let opcode = try #require(OpCatalogue.standard.opcode(named: mnemonic))
    let type = OpCatalogue.standard[opcode].type
    for seed in 0..<UInt64(seededCount(150)) {
      let complaint = try Self.check(type, mnemonic, seed: seed)
      #expect(complaint == nil, "\(mnemonic), seed \(seed): \(complaint ?? "")")
      if complaint != nil { return }
    }
  }

  private static func check<Op: MicroOp>(_ type: Op.Type, _ mnemonic: String, seed: UInt64) throws
    -> String?
  {
    guard let (op, drawn) = RandomOperandVisitor.draw(type, seed: seed, machine: machine) else {
      return "no legal operands found"
    }
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    for list in RandomOperandVisitor.lists { _ = p.indexList(list) }
    var placed = op
    var placing = PlacingVisitor(p, drawn)
    placed.visit(&placing)
    if let error = placing.error { throw error }
    p = placing.p

    // Contents before and after are taken by taps, so that any memory can be looked into.
    let spare = try p.buffer("spare", in: UB.self, .f32, rows: 1, columns: 4)
    p.emit(Fill(spare.tile(), 0))
    var sources = TappingVisitor(p, of: .read)
    placed.visit(&sources)
    p = sources.p
    p.emit(CoreBarrier())
    p.emit(placed)
    var results = TappingVisitor(p, of: .write)
    placed.visit(&results)
    p = results.p
    if let error = sources.error ?? results.error { throw error }
    let program = p.build()
    if let defect = program.defects.first { return "defect: \(defect.message)" }

    let state = MachineState(program)
    var random = NumericsRandom(seed: seed &+ 77)
    for input in placing.inputs {
      let (payload, scales) = contents(
        program.buffers[Int(input.id)], seed: seed, random: &random)
      try state.fill(input.id, bytes: payload, scales: scales)
    }
    let result = try FunctionalEngine.run(program, state: state)
    let naive = NaiveOps(
      mnemonic: mnemonic,
      tiles: sources.tensors.mapValues { NaiveTile(result.taps[$0]) },
      formats: Dictionary(uniqueKeysWithValues: drawn.tiles.map { ($0.name, $0.ref.format) }),
      immediates: drawn.immediates, machine: machine)
    guard let expected = try naive.expected() else { return "has no naive reading" }
    for (name, index) in results.tensors {
      guard result.taps[index].isComplete else { return "\(name) is not written in full" }
      guard let wanted = expected[name] else { return "\(name) has no naive reading" }
      if let difference = wanted.difference(
        from: NaiveTile(result.taps[index]), saturating: naive.saturating)
      {
        return "\(name)\(difference)"
      }
    }
    return nil
  }

  /// Random bytes of a tensor: values of neighbouring magnitudes with some specials, any code of the
  /// small formats, scales that meet.
  private static func contents(
    _ buffer: Buffer, seed: UInt64, random: inout NumericsRandom
  ) -> (payload: [UInt8], scales: [UInt8]) {
    let count = buffer.payloadExtent / buffer.format.bytes
    let values = random.block(count, specials: seed % 2 == 0)
    let scales = (0..<buffer.scaleExtent).map { _ in UInt8(100 + random.next() % 60) }
    switch buffer.format {
    case .f32: return (values.bytes, [])
    case .bf16: return (values.map { BF16($0).bits }.bytes, [])
    case .f16:
      return ((0..<count).map { _ in UInt16(truncatingIfNeeded: random.next()) }.bytes, [])
    case .i32: return ((0..<count).map { _ in Int32(random.next() % 3) }.bytes, [])
    case .i8: return ((0..<count).map { _ in UInt8(random.next() % 3) }, [])
    case .e8m0: return ((0..<count).map { _ in UInt8(100 + random.next() % 60) }, [])
    case .e4m3fn, .e5m2, .mxint8:
      return ((0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }, scales)
    }
  }
}

/// Taps what a micro-op reads or writes, as it is after the last one emitted.
private struct TappingVisitor: OperandVisitor {
  var p: ProgramBuilder
  private let tapped: Access
  /// Tap tensors by operand.
  private(set) var tensors: [String: Int] = [:]
  private(set) var error: (any Error)?

  init(_ p: ProgramBuilder, of tapped: Access) {
    self.p = p
    self.tapped = tapped
  }

  mutating func tile<S: MemorySpace>(_ name: String, _ tile: inout Tile<S>, _ access: Access) {
    guard access.contains(tapped) else { return }
    do {
      let tensor = try p.tapTensor(
        name, tile.format, rows: tile.rows, columns: tile.columns, axis: tile.ref.axis)
      p.tap(tile, tensor: tensor)
      tensors[name] = tensor
    } catch { self.error = error }
  }

  mutating func scalar(_ name: String, _ value: inout Float) {}
  mutating func integer(_ name: String, _ value: inout Int32) {}
  mutating func choice<C: OperandChoice>(_ name: String, _ value: inout C) {}
  mutating func event(_ name: String, _ value: inout Event) {}
}
