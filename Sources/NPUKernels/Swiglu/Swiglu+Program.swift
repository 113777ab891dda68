import NPUSim

// MARK: Schedule

extension Swiglu {
  /// The micro-op program: each core makes some columns of h, all cores meet, then each makes some
  /// columns of out.
  public func emit(_ indices: IndexTensors, into p: inout ProgramBuilder) throws(NPUError) {
    let tensors = try SwigluTensors(self, &p)
    for core in 0..<machine.cores {
      p.begin(core: core)
      var stream = try SwigluCore(self, tensors, &p)
      stream.emit(products(core: core), &p)
    }
  }

  /// The products of a core: for each tile of tokens and columns those with w1 and w3, and when all
  /// of h is made those with w2.
  private func products(core: Int) -> [SwigluProduct] {
    var result: [SwigluProduct] = []
    for (phase, width) in [(SwigluProduct.Phase.up, ffn), (.down, hidden)] {
      let share = WorkSplit.range(width, core: core, of: machine.cores)
      let count = (share.count + plan.tileColumns - 1) / plan.tileColumns
      for tokens in RowTile.pieces(0..<tokens, plan.tileTokens) {
        for index in 0..<count {
          let part = WorkSplit.range(share.count, core: index, of: count)
          let columns =
            share.lowerBound + part.lowerBound..<share.lowerBound + part.upperBound
          result.append(SwigluProduct(phase: phase, tokens: tokens, columns: columns))
        }
      }
    }
    return result
  }
}

/// Some columns of a, u and h, or of out, for some tokens.
struct SwigluProduct: Sendable {
  /// x to h, or h to out.
  enum Phase: Sendable { case up, down }

  var phase: Phase
  var tokens: Range<Int>
  var columns: Range<Int>
}

/// The HBM tensors and taps of the program.
struct SwigluTensors {
  let x: BufferHandle<HBM>
  let w1: BufferHandle<HBM>
  let w2: BufferHandle<HBM>
  let w3: BufferHandle<HBM>
  let h: BufferHandle<HBM>
  let out: BufferHandle<HBM>
  let a: Int
  let u: Int
  let g: Int

  init(_ kernel: Swiglu, _ p: inout ProgramBuilder) throws(NPUError) {
    let (tokens, hidden, ffn) = (kernel.tokens, kernel.hidden, kernel.ffn)
    x = try p.tensor("x", .bf16, rows: tokens, columns: hidden, role: .input)
    w1 = try p.tensor("w1", .mxint8, rows: ffn, columns: hidden, role: .input)
    w2 = try p.tensor("w2", .mxint8, rows: hidden, columns: ffn, role: .input)
    w3 = try p.tensor("w3", .mxint8, rows: ffn, columns: hidden, role: .input)
    h = try p.tensor("h", .bf16, rows: tokens, columns: ffn, role: .scratch)
    out = try p.tensor("out", .bf16, rows: tokens, columns: hidden, role: .output)
    a = try p.tapTensor("a", .bf16, rows: tokens, columns: ffn)
    u = try p.tapTensor("u", .bf16, rows: tokens, columns: ffn)
    g = try p.tapTensor("g", .bf16, rows: tokens, columns: ffn)
  }
}
