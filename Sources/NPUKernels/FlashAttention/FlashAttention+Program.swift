import NPUSim

// MARK: Schedule

extension FlashAttention {
  /// The micro-op program of the rung, for the pages that `block_table` names.
  public func emit(_ indices: IndexTensors, into p: inout ProgramBuilder) throws(NPUError) {
    let pages = indices["block_table"]
    try checkPages(pages)
    for spec in self.tensors where spec.role == .index {
      p.indexList(pages, named: spec.name, shape: spec.shape)
    }
    let tensors = try FlashTensors(self, pages: pages, &p)
    try rung.program.init(self).emit(tensors, into: &p)
  }
}

/// The HBM tensors of the program.
struct FlashTensors {
  /// What the unfused rung writes out between its kernels.
  struct Unfused {
    let scores: BufferHandle<HBM>
    let probabilities: BufferHandle<HBM>
  }

  /// Rows are (sequence, head, query).
  let q: BufferHandle<HBM>
  /// One slot for each (sequence, kv head); of a paged cache one for each (page, kv head) in MXINT8,
  /// and otherwise all rows in one slot.
  let k: BufferHandle<HBM>
  let v: BufferHandle<HBM>
  /// Scales of FP8 rows, laid out as the rows.
  let scales: (k: BufferHandle<HBM>, v: BufferHandle<HBM>)?
  let out: BufferHandle<HBM>
  let lse: BufferHandle<HBM>
  /// What the unfused rung writes out: S in the accumulator's format, and the probabilities.
  let unfused: Unfused?
  /// The page of each P tokens of each sequence; empty where the cache is not paged.
  let pages: [Int32]

  init(
    _ kernel: FlashAttention, pages: [Int32], _ p: inout ProgramBuilder
  ) throws(NPUError) {
    self.pages = pages
    let form = kernel.form
    let d = form.headDim
    q = try p.tensor("q", .bf16, rows: form.rows, columns: d, role: .input)
    var slots = form.groups
    var rows = form.kv
    if let page = form.page {
      let pages = form.pages * form.kvHeads
      slots = form.kvFormat == .mxint8 ? pages : 1
      rows = form.kvFormat == .mxint8 ? page : pages * page
    }
    let format = form.kvFormat.element
    k = try p.tensor("k", format, slots: slots, rows: rows, columns: d, role: .input)
    v = try p.tensor(
      "v", format, slots: slots, rows: rows, columns: d,
      axis: format == .mxint8 ? .alongRows : .alongColumns, role: .input)
    if form.kvFormat.isFP8 {
      let blocks = form.scaleBlocks
      scales = (
        try p.tensor("k_scale", .f32, slots: slots, rows: rows, columns: blocks, role: .input),
        try p.tensor("v_scale", .f32, slots: slots, rows: rows, columns: blocks, role: .input)
      )
    } else {
      scales = nil
    }
    out = try p.tensor("out", .bf16, rows: form.rows, columns: d, role: .output)
    lse = try p.tensor("lse", .f32, rows: form.rows, columns: 1, role: .output)
    if kernel.rung.isUnfused {
      unfused = Unfused(
        scores: try p.tensor(
          "scores", kernel.drained, rows: form.rows, columns: form.kv, role: .scratch),
        probabilities: try p.tensor(
          "probabilities", .bf16, rows: form.rows, columns: form.kv, role: .scratch))
    } else {
      unfused = nil
    }
  }
}
