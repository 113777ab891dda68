import NPUSim

/// The buffers of the pipelined rung that the vector unit works in: one slot for each tile in flight.
struct FlashVectorBuffers {
  let scores: BufferHandle<UB>
  let folded: BufferHandle<UB>
  let weights: BufferHandle<UB>
  let encoded: BufferHandle<UB>
  let partials: BufferHandle<UB>
  let products: BufferHandle<UB>
  let outputs: BufferHandle<UB>
  /// Maxima of the raw scores of a job so far.
  let tops: BufferHandle<UB>
  /// Maxima of the scaled scores: two for each tile in flight, of even and odd steps.
  let limits: BufferHandle<UB>
  let factors: BufferHandle<UB>
  let tileSums: BufferHandle<UB>
  /// l: two for each tile in flight, of even and odd jobs.
  let sums: BufferHandle<UB>

  init(_ layout: FlashPipelinedLayout, _ p: inout ProgramBuilder) throws(NPUError) {
    scores = try layout.scores.buffer(in: UB.self, &p)
    folded = try layout.folded.buffer(in: UB.self, &p)
    weights = try layout.weights.buffer(in: UB.self, &p)
    encoded = try layout.encoded.buffer(in: UB.self, &p)
    partials = try layout.partials.buffer(in: UB.self, &p)
    products = try layout.products.buffer(in: UB.self, &p)
    outputs = try layout.outputs.buffer(in: UB.self, &p)
    tops = try layout.column("s_top").buffer(in: UB.self, &p)
    limits = try layout.column("m", slots: 2).buffer(in: UB.self, &p)
    factors = try layout.column("alpha").buffer(in: UB.self, &p)
    tileSums = try layout.column("l_tile").buffer(in: UB.self, &p)
    sums = try layout.column("l", slots: 2).buffer(in: UB.self, &p)
  }
}
