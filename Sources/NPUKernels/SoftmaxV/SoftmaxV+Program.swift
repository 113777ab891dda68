import NPUSim

// MARK: Schedule

extension SoftmaxV {
  /// The micro-op program: work split over the cores, each core's jobs pipelined into each other.
  public func sequence(_ indices: IndexTensors) throws(NPUError) -> SequentialProgram {
    var builder = ProgramBuilder(machine: machine, catalogue: .standard)
    let tensors = try SoftmaxVTensors(self, &builder)
    for core in 0..<machine.cores {
      let jobs = jobs(core: core)
      guard !jobs.isEmpty else {
        builder.begin(core: core)
        continue
      }
      var stream = try SoftmaxVCore(self, tensors: tensors, core: core, &builder)
      stream.emit(jobs, &builder)
    }
    return builder.sequential()
  }

  /// The work of a core: (sequence, kv head) pairs, then row tiles, then column tiles, until the
  /// cores are filled.
  private func jobs(core: Int) -> [SoftmaxVJob] {
    let cores = machine.cores
    let d = headDim
    if groups >= cores {
      return jobs(groups: WorkSplit.range(groups, core: core, of: cores), columns: 0..<d)
    }
    // Too few groups: cut each into row tiles, small enough to fill the cores.
    let rowTile = max(1, min(plan.tileRows, (rowsPerGroup * groups + cores - 1) / cores))
    let rowTiles = (rowsPerGroup + rowTile - 1) / rowTile
    let columnTiles = (d + plan.tileColumns - 1) / plan.tileColumns
    let cutColumns = groups * rowTiles < cores ? columnTiles : 1
    let items = groups * rowTiles * cutColumns
    return WorkSplit.range(items, core: core, of: cores).map { item in
      let group = item / (rowTiles * cutColumns)
      let start = item / cutColumns % rowTiles * rowTile
      let column = item % cutColumns * plan.tileColumns
      let width = cutColumns == 1 ? d : min(plan.tileColumns, d - column)
      return SoftmaxVJob(
        groups: group..<(group + 1), rowsPerGroup: min(rowTile, rowsPerGroup - start),
        firstRow: group * rowsPerGroup + start, columns: column..<(column + width))
    }
  }

  /// Whole groups together while they fit a row tile, else a group in row tiles.
  private func jobs(groups range: Range<Int>, columns: Range<Int>) -> [SoftmaxVJob] {
    var result: [SoftmaxVJob] = []
    let together = max(1, plan.tileRows / rowsPerGroup)
    var group = range.lowerBound
    while group < range.upperBound {
      let end = min(range.upperBound, group + together)
      var start = 0
      while start < rowsPerGroup {
        let count = min(plan.tileRows, rowsPerGroup - start)
        result.append(
          SoftmaxVJob(
            groups: group..<end, rowsPerGroup: count, firstRow: group * rowsPerGroup + start,
            columns: columns))
        start += count
      }
      group = end
    }
    return result
  }
}

/// Query rows that are worked on together: the same rows of each of some groups, and some columns of
/// the result.
struct SoftmaxVJob {
  var groups: Range<Int>
  var rowsPerGroup: Int
  /// First row among all query rows; the job's rows are contiguous.
  var firstRow: Int
  var columns: Range<Int>

  var rows: Int { groups.count * rowsPerGroup }
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
