import NPUSim
import Testing

/// Rows of a list, where a micro-op or a format cannot take them one by one.
@Suite struct ListedTileTests {
  @Test func `a matmul takes no rows of a list`() throws {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let list = p.indexList([1, 0])
    let left = try p.buffer("left", in: Left.self, .mxint8, rows: 2, columns: 32)
    let right = try p.buffer(
      "right", in: Right.self, .mxint8, rows: 32, columns: 4, axis: .alongRows)
    let acc = try p.buffer("acc", in: Acc.self, .bf16, rows: 2, columns: 4)
    p.emit(
      Matmul(
        acc.tile(), left: left.gathered(list, rows: 2), right: right.tile(), accumulate: false))
    let defects = p.build().defects
    #expect(defects.map(\.code) == [.M005])
    #expect(
      defects.first?.message.hasSuffix("found rows of an index list, needed rectangles") == true)
  }

  @Test func `blocks that run over rows are not taken apart by a list`() throws {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let list = p.indexList([1, 0])
    let mx = try p.buffer("mx", in: UB.self, .mxint8, rows: 64, columns: 32, axis: .alongRows)
    let a = try p.buffer("a", in: UB.self, .bf16, rows: 2, columns: 32)
    p.emit(DecodeMX(a.tile(), mx.gathered(list, rows: 2)))
    let defects = p.build().defects
    #expect(defects.map(\.code) == [.M005])
    #expect(defects.first?.message.hasSuffix("a block cannot be taken apart") == true)
  }
}
