import NPUSim

/// `y = (x - mean) / sqrt(variance + eps) * gain + bias`, row by row.
struct LayerNorm {
  var rows = 64
  var columns = 1024
  var tile = 4
  var eps: Float = 1e-5

  func sequence(on machine: MachineConfiguration) throws(NPUError) -> SequentialProgram {
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    let (ub, lanes) = (UB.self, min(machine.vector.lanes, columns))
    let x = try p.tensor("x", .bf16, rows: rows, columns: columns, role: .input)
    let gain = try p.tensor("gain", .bf16, rows: 1, columns: columns, role: .input)
    let bias = try p.tensor("bias", .bf16, rows: 1, columns: columns, role: .input)
    let y = try p.tensor("y", .bf16, rows: rows, columns: columns, role: .output)
    let weights = try p.buffer("weights", in: ub, .bf16, slots: 2, rows: 1, columns: columns)
    let squares = try p.buffer("squares", in: ub, .f32, rows: tile, columns: columns)
    var inputs = try p.ring("inputs", in: ub, .bf16, slots: 2, rows: tile, columns: columns)
    var centred = try p.ring("centred", in: ub, .f32, slots: 2, rows: tile, columns: columns)
    var sums = try p.ring("sums", in: ub, .f32, slots: 2, rows: tile, columns: lanes)
    var means = try p.ring("means", in: ub, .f32, slots: 2, rows: tile, columns: 1)
    var results = try p.ring("results", in: ub, .bf16, slots: 2, rows: tile, columns: columns)

    p.emit(LoadUB(weights.tile(slot: 0), from: gain.tile()))
    p.emit(LoadUB(weights.tile(slot: 1), from: bias.tile()))
    for row in stride(from: 0, to: rows, by: tile) {
      let n = min(tile, rows - row)
      let (a, slot, out) = (inputs.next().tile(rows: n), centred.next(), results.next())
      let (c, square) = (slot.tile(rows: n), squares.tile(rows: n))
      let (sum, mean) = (sums.next().tile(rows: n), means.next().tile(rows: n))
      p.emit(LoadUB(a, from: x.tile(row: row, rows: n)))
      p.emit(RowSum(sum, a, start: true))
      p.emit(RowFinish(mean, sum))
      p.emit(WithScalar<DivRule>(mean, mean, Float(columns)))
      p.emit(RowBroadcast<SubRule>(c, a, mean))
      p.emit(Elementwise<MulRule>(square, c, c))
      p.emit(RowSum(sum, square, start: true))
      p.emit(RowFinish(mean, sum))
      p.emit(WithScalar<DivRule>(mean, mean, Float(columns)))
      p.emit(WithScalar<AddRule>(mean, mean, eps))
      p.emit(Special<RsqrtRule>(mean, mean))
      p.emit(RowBroadcast<MulRule>(c, c, mean))
      for i in 0..<n {
        let c = slot.tile(row: i, rows: 1)
        p.emit(Elementwise<MulRule>(c, c, weights.tile(slot: 0)))
        p.emit(Elementwise<AddRule>(out.tile(row: i, rows: 1), c, weights.tile(slot: 1)))
      }
      p.emit(StoreHBM(y.tile(row: row, rows: n), from: out.tile(rows: n)))
    }
    return p.sequential()
  }
}
