import NPUSim
import Testing

/// Byte sets and bursts of random tiles against a walk over every element.
@Suite struct TileLayoutTests {
  private struct Case {
    var layout: TileLayout
    var tile: TileRef
  }

  /// A tensor of random shape and format, and a tile inside it that starts on a whole block.
  private func random(_ source: inout SeededGenerator, burst: Int) throws -> Case {
    var machine = TestMachine.small()
    machine.hbm.burst = burst
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    let formats: [ElementFormat] = [.bf16, .f32, .e4m3fn, .mxint8]
    let format = formats[Int.random(in: 0..<4, using: &source)]
    let axis: BlockAxis = Bool.random(using: &source) ? .alongColumns : .alongRows
    _ = try p.tensor(
      "before", .i8, rows: 1, columns: Int.random(in: 1...70, using: &source), role: .input)
    let tensor = try p.tensor(
      "x", format, slots: Int.random(in: 1...3, using: &source),
      rows: Int.random(in: 1...70, using: &source), columns: Int.random(in: 1...90, using: &source),
      axis: axis, role: .input)
    func start(_ extent: Int, isBlocked: Bool) -> Int {
      let first = Int.random(in: 0..<extent, using: &source)
      return isBlocked ? first / 32 * 32 : first
    }
    let row = start(tensor.rows, isBlocked: format == .mxint8 && axis == .alongRows)
    let column = start(tensor.columns, isBlocked: format == .mxint8 && axis == .alongColumns)
    let tile = tensor.tile(
      slot: Int.random(in: 0..<tensor.slots, using: &source), row: row, column: column,
      rows: Int.random(in: 1...(tensor.rows - row), using: &source),
      columns: Int.random(in: 1...(tensor.columns - column), using: &source))
    return Case(layout: TileLayout(p.build()), tile: tile.ref)
  }

  /// Payload bytes and scale bytes, element by element.
  private func bytes(_ one: Case) -> (payload: Set<Int>, scales: Set<Int>) {
    let buffer = one.layout.buffers[Int(one.tile.buffer)]
    let tile = one.tile
    var payload: Set<Int> = []
    var scales: Set<Int> = []
    for r in Int(tile.row)..<Int(tile.row + tile.rows) {
      for c in Int(tile.column)..<Int(tile.column + tile.columns) {
        let size = tile.format.bytes
        let element = (Int(tile.slot) * buffer.rows + r) * buffer.columns + c
        for byte in 0..<size { payload.insert(buffer.base + element * size + byte) }
        guard tile.format == .mxint8 else { continue }
        let across = tile.axis == .alongColumns
        let scaleRows = across ? buffer.rows : (buffer.rows + 31) / 32
        let scaleColumns = across ? (buffer.columns + 31) / 32 : buffer.columns
        let place =
          (Int(tile.slot) * scaleRows + (across ? r : r / 32)) * scaleColumns
          + (across ? c / 32 : c)
        scales.insert(buffer.scaleBase + place)
      }
    }
    return (payload, scales)
  }

  private func set(_ regions: [Region]) -> Set<Int> {
    var result: Set<Int> = []
    for region in regions {
      for row in 0..<region.rows {
        for byte in 0..<region.runBytes { result.insert(region.base + row * region.pitch + byte) }
      }
    }
    return result
  }

  /// Whole bursts of each maximal run of bytes.
  private func bursts(_ bytes: Set<Int>, _ burst: Int) -> Int {
    var total = 0
    var lastByte = -2
    var lastBurst = -1
    for byte in bytes.sorted() {
      if byte != lastByte + 1 || byte / burst != lastBurst { total += 1 }
      lastByte = byte
      lastBurst = byte / burst
    }
    return total * burst
  }

  @Test func `regions are the bytes of the elements, and bursts cover each run`() throws {
    for seed in 0..<400 as Range<UInt64> {
      var source = SeededGenerator(seed: seed)
      let burst = [1, 4, 32, 64][Int(seed % 4)]
      let one = try random(&source, burst: burst)
      let (payload, scales) = bytes(one)
      #expect(set(one.layout.payloadRegions(one.tile)) == payload, "seed \(seed)")
      #expect(set(one.layout.scaleRegions(one.tile)) == scales, "seed \(seed)")
      #expect(
        one.layout.burstBytes(one.tile) == bursts(payload, burst) + bursts(scales, burst),
        "seed \(seed)")
      #expect(one.tile.usefulBytes == payload.count + scales.count, "seed \(seed)")
    }
  }

  @Test func `two regions overlap exactly where they share a byte`() {
    for seed in 0..<2_000 as Range<UInt64> {
      var source = SeededGenerator(seed: seed)
      func region() -> Region {
        let run = Int.random(in: 1...9, using: &source)
        return Region(
          plane: .ub, base: Int.random(in: 0..<60, using: &source),
          pitch: run + Int.random(in: 0...12, using: &source), runBytes: run,
          rows: Int.random(in: 1...6, using: &source))
      }
      let (a, b) = (region(), region())
      #expect(a.overlaps(b) == !set([a]).isDisjoint(with: set([b])), "seed \(seed)")
    }
  }
}
