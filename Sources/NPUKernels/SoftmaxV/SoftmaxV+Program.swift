import NPUSim

// MARK: Schedule

extension SoftmaxV {
  /// The micro-op program: work split over the cores, each core's jobs one after another.
  public func emit(_ indices: IndexTensors, into p: inout ProgramBuilder) throws(NPUError) {
    let tensors = try SoftmaxVTensors(self, &p)
    for core in 0..<machine.cores {
      p.begin(core: core)
      let jobs = SoftmaxVJob.all(self, core: core)
      if !jobs.isEmpty { try emit(jobs, tensors, &p) }
    }
  }

  private func emit(
    _ jobs: [SoftmaxVJob], _ tensors: SoftmaxVTensors, _ p: inout ProgramBuilder
  ) throws(NPUError) {
    let memory = try p.allocate(buffers)
    var vRing = try memory.ring("v", in: L1.self)
    var weightRing = try memory.ring("p", in: L1.self)
    var leftRing = try memory.ring("left", in: Left.self)
    var rightRing = try memory.ring("right", in: Right.self)
    let accRing = try memory.ring("acc", in: Acc.self)
    var scoreRing = try memory.ring("scores", in: UB.self)
    var expRing = try memory.ring("exp", in: UB.self)
    var encodedRing = try memory.ring("exp_mx", in: UB.self)
    let partialRing = try memory.ring("partials", in: UB.self)
    let maximumRing = try memory.ring("max", in: UB.self)
    let sumRing = try memory.ring("sum", in: UB.self)
    let inverseRing = try memory.ring("inv", in: UB.self)
    var scaledRing = try memory.ring("scaled_v", in: UB.self)
    var outRing = try memory.ring("out", in: UB.self)
    let kvTiles = RowTile.pieces(0..<kv, plan.tileKV)
    for (number, job) in jobs.enumerated() {
      p.pushScope("job", iteration: number)
      let (rows, row) = (job.rows.count, job.rows.lowerBound)
      let maxima = maximumRing[number].tile(rows: rows)
      let acc = accRing[number]
      let places = kvTiles.map { RowTile(rows: job.rows, columns: $0) }
      if isStable && places.count > 1 {
        for (tile, place) in places.enumerated() {
          let scores = scoreRing.load(tensors.scores.tile(place), &p)
          p.emit(RowMax(maxima, scores, start: tile == 0))
        }
      }
      for (tile, place) in places.enumerated() {
        p.pushScope("kv", iteration: tile)
        let keys = place.columns
        let scores = scoreRing.load(tensors.scores.tile(place), &p)
        if isStable {
          if places.count == 1 { p.emit(RowMax(maxima, scores, start: true)) }
          p.emit(RowBroadcast<SubRule>(scores, scores, maxima))
        }
        let exps = expRing.next().tile(as: place)
        p.emit(Special<ExpRule>(exps, scores))
        p.tap(exps, tensor: tensors.exps, place)
        let encoded = encodedRing.next().tile(as: place)
        p.emit(EncodeMX(encoded, exps))
        p.tap(encoded, tensor: tensors.encoded, place)
        let lanes = tile == 0 ? min(machine.vector.lanes, keys.count) : nil
        let partials = partialRing[number].tile(rows: rows, columns: lanes)
        p.emit(RowSum(partials, exps, start: tile == 0))
        let weights = weightRing.next().tile(as: place)
        p.emit(StoreL1(weights, from: encoded))
        let left = leftRing.next().tile(as: place)
        p.emit(FeedLeft(left, from: weights))
        for (position, group) in job.groups.enumerated() {
          let lines = job.rows(of: position..<position + 1)
          let values = RowTile(rows: keys, columns: job.columns)
          let v = vRing.next().tile(as: values)
          p.emit(LoadL1(v, from: tensors.v.tile(values, slot: group)))
          for columns in RowTile.pieces(0..<v.columns, plan.tileColumns) {
            let right = rightRing.next().tile(rows: v.rows, columns: columns.count)
            p.emit(FeedRight(right, from: v.columns(columns)))
            let product = acc.tile(RowTile(rows: lines, columns: columns))
            p.emit(
              Matmul(product, left: left.rows(lines), right: right, accumulate: tile > 0))
          }
        }
        p.popScope()
      }
      let sums = sumRing[number].tile(rows: rows)
      p.emit(RowFinish(sums, partialRing[number].tile(rows: rows)))
      p.tap(sums, tensor: tensors.sums, row: row)
      let inverses = inverseRing[number].tile(rows: rows)
      p.emit(Special<ReciprocalRule>(inverses, sums))
      p.tap(inverses, tensor: tensors.inverses, row: row)
      for groups in plan.parts(groups: job.groups.count) {
        let lines = job.rows(of: groups)
        let place = RowTile(
          rows: row + lines.lowerBound..<row + lines.upperBound, columns: job.columns)
        let scaled = scaledRing.next().tile(as: place)
        let product = RowTile(rows: lines, columns: 0..<job.columns.count)
        p.emit(DrainUB(scaled, from: acc.tile(product)))
        p.tap(scaled, tensor: tensors.scaled, place)
        let out = outRing.next().tile(as: place)
        p.emit(RowBroadcast<MulRule>(out, scaled, inverses.rows(lines)))
        p.emit(StoreHBM(tensors.out.tile(place), from: out))
      }
      p.popScope()
    }
  }
}

/// The HBM tensors and taps of the program.
struct SoftmaxVTensors {
  let scores: BufferHandle<HBM>
  let v: BufferHandle<HBM>
  let out: BufferHandle<HBM>
  let exps: Int
  let sums: Int
  let encoded: Int
  let scaled: Int
  let inverses: Int

  init(_ kernel: SoftmaxV, _ p: inout ProgramBuilder) throws(NPUError) {
    let rows = kernel.rows
    scores = try p.tensor(
      "softmaxed_v.qk_T", .bf16, rows: rows, columns: kernel.kv, role: .input)
    v = try p.tensor(
      "softmaxed_v.v", .mxint8, slots: kernel.groups, rows: kernel.kv, columns: kernel.headDim,
      axis: .alongRows, role: .input)
    out = try p.tensor(
      "softmaxed_v.out", .bf16, rows: rows, columns: kernel.headDim, role: .output)
    exps = try p.tapTensor("softmaxed_v.exp-bf16", .bf16, rows: rows, columns: kernel.kv)
    sums = try p.tapTensor("softmaxed_v.exp_sum", .bf16, rows: rows, columns: 1)
    encoded = try p.tapTensor("softmaxed_v.exp_mxint8", .mxint8, rows: rows, columns: kernel.kv)
    scaled = try p.tapTensor("softmaxed_v.scaled_v", .bf16, rows: rows, columns: kernel.headDim)
    inverses = try p.tapTensor("softmaxed_v.inv", .bf16, rows: rows, columns: 1)
  }
}
