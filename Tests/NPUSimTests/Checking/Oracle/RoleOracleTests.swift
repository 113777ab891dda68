import NPUSim
import Testing

/// I002 and I003 against sets of bytes.
@Suite struct RoleOracleTests {
  /// 10,000 programs when `NPUSIM_FULL` is set, a tenth of them otherwise.
  static let seeds = 0..<UInt64(TextFixture.isFull ? 10_000 : 1_000)

  /// A program that loads tensors and stores tiles of some; most outputs are cut into tiles that cover
  /// them, of which one may be left out.
  private static func program(seed: UInt64) throws -> Program {
    var random = SeededGenerator(seed: seed)
    let cores = 1 + random.below(3)
    var p = ProgramBuilder(
      machine: TestMachine.small(cores: cores, memory: 1 << 20), catalogue: .standard)
    let roles: [Buffer.Role] = [.output, .output, .output, .input, .inputOutput, .scratch]
    for number in 0..<(1 + random.below(3)) {
      let format = [ElementFormat.bf16, .f32, .i8, .mxint8][random.below(4)]
      let isAlongRows = format == .mxint8 && random.below(2) == 0
      let axis: BlockAxis = isAlongRows ? .alongRows : .alongColumns
      let (slots, rows, columns) = (
        1 + random.below(3), 1 + random.below(isAlongRows ? 80 : 9), 1 + random.below(90)
      )
      let given = try p.tensor(
        "given\(number)", format, rows: rows, columns: columns, axis: axis, role: .input)
      let tensor = try p.tensor(
        "y\(number)", format, slots: slots, rows: rows, columns: columns, axis: axis,
        role: roles[random.below(roles.count)])
      let list = p.indexList((0..<Int32(rows)).shuffled(using: &random))
      let rowStep = isAlongRows ? 32 : 1 + random.below(rows)
      let columnStep = format == .mxint8 && !isAlongRows ? 32 : 16 * (1 + random.below(4))
      let left = random.below(3) == 0 ? 0 : 12
      for core in 0..<cores {
        p.begin(core: core)
        let a = try p.buffer(
          "a\(number)", in: UB.self, format, rows: rows, columns: columns, axis: axis)
        p.emit(LoadUB(a.tile(), from: given.tile()))
        p.emit(CoreBarrier())
        for slot in 0..<slots {
          for row in stride(from: 0, to: rows, by: rowStep) {
            for column in stride(from: 0, to: columns, by: columnStep) {
              // Each tile is one core's, or nobody's, or sometimes two cores'.
              if (slot + row + column) % cores != core && random.below(20) > 0 { continue }
              if left > 0 && random.below(left) == 0 { continue }
              let (height, width) = (min(rowStep, rows - row), min(columnStep, columns - column))
              let source = a.tile(rows: height, columns: width)
              if isAlongRows || random.below(2) == 0 {
                p.emit(
                  StoreHBM(
                    tensor.tile(slot: slot, row: row, column: column, rows: height, columns: width),
                    from: source))
              } else {
                p.emit(
                  StoreScatter(
                    tensor.gathered(
                      list, first: row, rows: height, slot: slot, column: column, columns: width),
                    from: source))
              }
            }
          }
        }
      }
    }
    return p.build()
  }

  @Test func `what is missing of outputs, and which inputs are written, agree with sets of bytes`()
    throws
  {
    var (whole, partial, overwritten) = (0, 0, 0)
    for seed in Self.seeds {
      let program = try Self.program(seed: seed)
      #expect(program.defects.isEmpty, "seed \(seed): \(program.defects.first?.message ?? "")")
      let findings = Checker.check(program).findings
      let written = HBMBytes.written(program)
      for (index, buffer) in program.buffers.enumerated() where buffer.space == .hbm {
        let own = findings.filter { $0.buffer == UInt32(index) }
        let found = Set(own.map(\.code)).intersection([.I002, .I003])
        let (payload, scales) = HBMBytes.useful(buffer)
        let context = "seed \(seed), \(buffer.name), \(buffer.role)"
        switch buffer.role {
        case .output:
          let missing = payload.subtracting(written)
          // Where payload is whole, scales are.
          #expect(!missing.isEmpty || scales.isSubset(of: written), "\(context)")
          #expect(found == (missing.isEmpty ? [] : [.I002]), "\(context)")
          if missing.isEmpty { whole += 1 } else { partial += 1 }
          guard let finding = own.first(where: { $0.code == .I002 }) else { continue }
          let size = buffer.format.bytes
          #expect(
            finding.message.contains(
              ": \(missing.count / size) of its \(payload.count / size) elements"),
            "\(context): \(finding.message)")
          let region = try #require(finding.region)
          for row in 0..<region.rows {
            for byte in 0..<region.runBytes {
              #expect(missing.contains(region.base + row * region.pitch + byte), "\(context)")
            }
          }
        case .input:
          let isWritten = !payload.isDisjoint(with: written)
          #expect(found == (isWritten ? [.I003] : []), "\(context)")
          if isWritten { overwritten += 1 }
        case .inputOutput, .scratch: #expect(found.isEmpty, "\(context)")
        }
      }
    }
    // The programs are worth judging.
    #expect(whole > 100 && partial > 100 && overwritten > 50, "\(whole) \(partial) \(overwritten)")
  }
}

/// Bytes of HBM, counted one by one.
private enum HBMBytes {
  /// Address of an element, and of its scale in MXINT8.
  private static func place(_ buffer: Buffer, slot: Int, row: Int, column: Int) -> (Int, Int) {
    let isAcross = buffer.axis == .alongColumns
    return (
      buffer.base + slot * buffer.slotStride + row * buffer.pitch + column * buffer.format.bytes,
      buffer.scaleBase + slot * buffer.scaleSlotStride
        + (isAcross ? row : row / 32) * buffer.scalePitch + (isAcross ? column / 32 : column)
    )
  }

  /// Every byte that some micro-op writes.
  static func written(_ program: Program) -> Set<Int> {
    var result: Set<Int> = []
    for record in program.cores.joined() {
      for k in 0..<Int(record.operandCount) where record.access(k).contains(.write) {
        let tile = program.tiles[Int(record.words[k])]
        guard tile.space == .hbm else { continue }
        let buffer = program.buffers[Int(tile.buffer)]
        for i in Int(tile.row)..<Int(tile.row + tile.rows) {
          let row =
            tile.indexList == 0 ? i : Int(program.indexLists[Int(tile.indexList) - 1][i])
          for column in Int(tile.column)..<Int(tile.column + tile.columns) {
            let (payload, scale) = place(buffer, slot: Int(tile.slot), row: row, column: column)
            for byte in 0..<tile.format.bytes { result.insert(payload + byte) }
            if tile.format == .mxint8 { result.insert(scale) }
          }
        }
      }
    }
    return result
  }

  /// The bytes of the elements and of the scales of a tensor.
  static func useful(_ buffer: Buffer) -> (payload: Set<Int>, scales: Set<Int>) {
    var elements: Set<Int> = []
    var scales: Set<Int> = []
    for slot in 0..<buffer.slots {
      for row in 0..<buffer.rows {
        for column in 0..<buffer.columns {
          let (payload, scale) = place(buffer, slot: slot, row: row, column: column)
          for byte in 0..<buffer.format.bytes { elements.insert(payload + byte) }
          if buffer.format == .mxint8 { scales.insert(scale) }
        }
      }
    }
    return (elements, scales)
  }
}
