import Foundation
import NPUSim
import Testing

/// M007: results over other operands of their own micro-op.
@Suite struct OperandOverlapTests {
  /// A core with 8 × 32 elements in `ub`, loaded, and an input for more.
  private struct Bench {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let x: BufferHandle<HBM>
    let a: BufferHandle<UB>

    init(_ format: ElementFormat = .bf16, rows: Int = 16, columns: Int = 32) throws {
      x = try p.tensor("x", format, rows: rows, columns: columns, role: .input)
      a = try p.buffer("a", in: UB.self, format, rows: rows, columns: columns)
      p.emit(LoadUB(a.tile(), from: x.tile()))
      p.emit(CoreBarrier())
    }

    /// Another buffer of `ub`, placed.
    mutating func placed(
      _ name: String, _ format: ElementFormat, rows: Int, columns: Int, at address: Int
    ) throws -> BufferHandle<UB> {
      try p.buffer(name, in: UB.self, format, rows: rows, columns: columns, at: address)
    }

    mutating func overlaps(_ op: some MicroOp) -> [Finding] {
      var copy = p
      copy.emit(op)
      return Checker.check(copy.build()).findings.filter { $0.code == .M007 }
    }
  }

  // MARK: What the ISA says

  @Test func `each micro-op states which sources are read element by element`() {
    for entry in OpCatalogue.standard.entries {
      let stated = Set(
        entry.operands.compactMap { operand -> String? in
          guard case .tile(_, let access) = operand.kind, access.contains(.inPlace) else {
            return nil
          }
          return operand.name
        })
      #expect(stated == OverlapOracle.elementwise[entry.mnemonic] ?? [], "\(entry.mnemonic)")
    }
  }

  @Test func `the ISA page says of every micro-op with two tiles what may coincide`() {
    let page = ISAPage.text(.standard)
    for section in page.components(separatedBy: "\n### ").dropFirst() {
      let tiles = section.components(separatedBy: "| tile in ").count - 1
      #expect(section.contains("May coincide: ") == (tiles > 1), "\(section)")
    }
    #expect(page.contains("May coincide: `result` with `a`, `b`.\n"))
    #expect(page.contains("May coincide: nothing.\n"))
  }

  // MARK: Right

  @Test func `the very same tile is right where elements depend on their own place`() throws {
    var t = try Bench()
    #expect(t.overlaps(Special<ExpRule>(t.a.tile(), t.a.tile())).isEmpty)
    #expect(t.overlaps(Elementwise<AddRule>(t.a.tile(), t.a.tile(), t.a.tile())).isEmpty)
    #expect(t.overlaps(CopyUB(t.a.tile(), t.a.tile())).isEmpty)
    // Also through another buffer: of the same pitch, or of one row.
    let b = try t.placed("b", .bf16, rows: 4, columns: 32, at: 0)
    #expect(t.overlaps(Special<ExpRule>(b.tile(), t.a.tile(rows: 4))).isEmpty)
    let wide = try t.placed("wide", .bf16, rows: 4, columns: 64, at: 0)
    #expect(
      t.overlaps(Special<ExpRule>(wide.tile(rows: 1, columns: 32), t.a.tile(rows: 1))).isEmpty)
  }

  @Test func `tiles that only lie beside one another share nothing`() throws {
    var t = try Bench()
    #expect(t.overlaps(Special<ExpRule>(t.a.tile(rows: 8), t.a.tile(row: 8))).isEmpty)
    #expect(
      t.overlaps(Special<ExpRule>(t.a.tile(columns: 16), t.a.tile(column: 16))).isEmpty)
    let b = try t.placed("b", .bf16, rows: 4, columns: 32, at: 256)
    #expect(t.overlaps(Special<ExpRule>(b.tile(), t.a.tile(rows: 4))).isEmpty)
    // Rows of one buffer in the gaps between those of another.
    let gaps = try t.placed("gaps", .bf16, rows: 4, columns: 64, at: 0)
    let between = try t.placed("between", .bf16, rows: 4, columns: 64, at: 64)
    #expect(
      t.overlaps(Special<ExpRule>(gaps.tile(columns: 32), between.tile(columns: 32))).isEmpty)
  }

  @Test func `rows of one list are one tile unless the list names a row twice`() throws {
    var t = try Bench()
    let list = t.p.indexList([3, 1, 2, 7])
    let twice = t.p.indexList([3, 1, 3, 7])
    let other = t.p.indexList([1, 3, 2, 7])
    let apart = t.p.indexList([0, 4, 5, 6])
    let a = t.a.gathered(list, rows: 4)
    #expect(t.overlaps(Special<ExpRule>(a, a)).isEmpty)
    #expect(t.overlaps(Special<ExpRule>(t.a.gathered(apart, rows: 4), a)).isEmpty)
    #expect(t.overlaps(Special<ExpRule>(t.a.gathered(other, rows: 4), a)).count == 1)
    let b = t.a.gathered(twice, rows: 4)
    #expect(t.overlaps(Special<ExpRule>(t.a.gathered(apart, rows: 4), b)).isEmpty)
    #expect(t.overlaps(Special<ExpRule>(b, b)).count == 2)
    #expect(t.overlaps(Special<ExpRule>(t.a.tile(row: 3, rows: 4), a)).count == 1)
  }

  // MARK: Wrong

  @Test func `a finding names both operands, the bytes, and what to do`() throws {
    var t = try Bench(rows: 16, columns: 16)
    let finding = try #require(
      t.overlaps(CopyUB(t.a.tile(row: 4, rows: 8), t.a.tile(rows: 8))).first)
    #expect(
      finding.message
        == "vector.copy has a[4 +: 8, 0 +: 16] as result and a[0 +: 8, 0 +: 16] as a, which "
        + "share 128 bytes of ub, between 128 and 255: one is written while the other is still read"
    )
    #expect(
      finding.fix
        == "give result a tile that shares no byte with a, or let result be the very tile of a: "
        + "same bytes, format and extent")
    #expect(finding.region?.base == 128 && finding.region?.byteCount == 128)
    #expect(finding.severity == .error)
  }

  @Test func `a list is named as the text names it`() throws {
    let program = try TextFixture.program(
      """
      .index first i32 [2] = [0, 1]
      .index rows i32 [4] = [0, 1, 1, 2]
      .buf a ub bf16 [8, 64]
      vector.fill a {value=1}
      vector.exp a[rows @ 0 +: 4, :] <- a[4 +: 4, :]
      """)
    let messages = Checker.check(program).findings.map(\.message)
    #expect(messages.count == 1 && messages[0].contains(" a[rows @ 0 +: 4"), "\(messages)")
  }

  @Test func `a transpose, a shift and other formats in place are M007`() throws {
    var t = try Bench(.f32)
    #expect(
      t.overlaps(TransposeUB(t.a.tile(rows: 16, columns: 16), t.a.tile(columns: 16))).count == 1)
    #expect(
      t.overlaps(Special<ExpRule>(t.a.tile(column: 4, columns: 16), t.a.tile(columns: 16))).count
        == 1)
    // At the same address, element by element, but of another size.
    let b = try t.placed("b", .bf16, rows: 16, columns: 32, at: 0)
    #expect(t.overlaps(Cast(b.tile(), t.a.tile())).count == 1)
    let mx = try t.placed("mx", .mxint8, rows: 16, columns: 32, at: 0)
    #expect(t.overlaps(EncodeMX(mx.tile(), t.a.tile())).count == 1)
    var s = try Bench()
    let half = try s.placed("half", .f16, rows: 4, columns: 32, at: 0)
    #expect(s.overlaps(Cast(half.tile(), s.a.tile(rows: 4))).count == 1)
    // A row more to the pitch.
    let wide = try t.placed("wide", .f32, rows: 16, columns: 64, at: 0)
    #expect(t.overlaps(Special<ExpRule>(wide.tile(columns: 32), t.a.tile())).count == 1)
  }

  @Test func `columns, scales, tables and reductions over their operands are M007`() throws {
    var t = try Bench(.f32, rows: 4, columns: 128)
    let a = t.a.tile()
    let column = t.a.tile(columns: 1)
    func isWrong(_ op: some MicroOp, _ names: String...) -> Bool {
      let found = t.overlaps(op)
      return found.count == 1
        && names.allSatisfy { found[0].message.contains("] as \($0)") }
    }
    #expect(isWrong(RowBroadcast<MulRule>(a, a, column), "result", "b"))
    #expect(isWrong(BlockBroadcast<MulRule>(a, a, column), "result", "b"))
    #expect(isWrong(Exp2Fused(a, a, column, k: 1), "result", "row"))
    #expect(isWrong(RescaleAdd(a, a, column, a), "result", "factor"))
    #expect(isWrong(Select(a, where: column, a, else: a), "result", "condition"))
    #expect(isWrong(RowMax(column, a, start: true), "result", "a"))
    #expect(isWrong(RowMax(column, a, start: false), "result", "a"))
    #expect(isWrong(RowSum(t.a.tile(columns: 4), a, start: true), "partials", "a"))
    #expect(isWrong(RowFinish(column, t.a.tile(columns: 4)), "result", "partials"))
    #expect(isWrong(BlockAbsMax(column, a), "result", "a"))
    let table = t.a.tile(rows: 4, columns: 64)
    #expect(t.overlaps(RotatePairs(a, a, cosine: table, sine: table, .halfSplit)).count == 3)
    #expect(!t.overlaps(RowBroadcast<MulRule>(column, column, column)).isEmpty)
  }

  @Test func `two results of one micro-op in one place are M007`() throws {
    var t = try Bench(rows: 4, columns: 256)
    let codes = try t.placed("codes", .e4m3fn, rows: 4, columns: 256, at: 8192)
    let scales = try t.placed("scales", .f32, rows: 4, columns: 2, at: 8192)
    let found = t.overlaps(EncodeFP8(codes.tile(), scales.tile(), t.a.tile(), roundScale: false))
    #expect(found.count == 1)
    #expect(
      found.first?.message.hasSuffix("which of them is written last is not defined") == true)
    #expect(
      found.first?.fix
        == "place codes (bytes 8192 to 9215) and scales (bytes 8192 to 8255) apart")
    let index = try t.placed("index", .i32, rows: 4, columns: 1, at: 16384)
    let maximum = try t.placed("maximum", .f32, rows: 4, columns: 1, at: 16384)
    #expect(t.overlaps(ArgMax(index.tile(), maximum.tile(), t.a.tile())).count == 1)
  }

  @Test func `filled bytes and scales of a result count as written`() throws {
    var t = try Bench(rows: 4, columns: 8)
    // Eight elements are encoded, and 24 bytes behind them filled: the source lies there.
    let mx = try t.placed("mx", .mxint8, rows: 1, columns: 8, at: 4096)
    let tail = try t.placed("tail", .bf16, rows: 1, columns: 8, at: 4096 + 16)
    #expect(t.overlaps(EncodeMX(mx.tile(), tail.tile())).count == 1)
    // Its scale bytes lie behind everything that was placed before.
    let far = try t.placed("far", .mxint8, rows: 2, columns: 8, at: 8192)
    let scales = try t.placed("scales", .bf16, rows: 2, columns: 8, at: 8192 + 64)
    #expect(t.overlaps(EncodeMX(far.tile(), scales.tile())).count == 1)
  }

  @Test func `a result that names a byte twice is M007`() throws {
    var t = try Bench()
    let twice = t.p.indexList([3, 1, 3, 7])
    let found = t.overlaps(
      Special<ExpRule>(t.a.gathered(twice, rows: 4), t.a.tile(row: 8, rows: 4)))
    #expect(found.map(\.fix) == ["give result a list that names no row twice"])
    // Only a program that is put together by hand has scales in its payload.
    let mx = try t.p.buffer("mx", in: UB.self, .mxint8, rows: 2, columns: 32)
    t.p.emit(EncodeMX(mx.tile(), t.a.tile(rows: 2)))
    var program = t.p.build()
    #expect(Checker.check(program).isClean)
    program.buffers[Int(mx.id)].scaleBase = program.buffers[Int(mx.id)].base + 4
    let findings = Checker.check(program).findings
    #expect(findings.map(\.code) == [.M007])
    #expect(findings.first?.fix.hasPrefix("lay the scales of mx (bytes ") == true)
  }

  @Test func `an update of what it reads is M007 on every operand`() throws {
    var t = try Bench(.f32, rows: 4, columns: 4)
    #expect(t.overlaps(RowSum(t.a.tile(), t.a.tile(), start: false)).count == 1)
  }

  @Test func `the same operands in many turns are one finding with a count`() throws {
    var t = try Bench()
    for _ in 0..<1000 { t.p.emit(CopyUB(t.a.tile(row: 1, rows: 8), t.a.tile(rows: 8))) }
    let found = t.overlaps(CopyUB(t.a.tile(row: 2, rows: 8), t.a.tile(rows: 8)))
    #expect(found.count == 1 && found.first?.folded == 1000)
  }

  @Test func `operands that are not legal are not compared as well`() throws {
    var t = try Bench()
    #expect(t.overlaps(CopyUB(t.a.tile(row: 1, rows: 7), t.a.tile(rows: 8))).isEmpty)
  }
}
