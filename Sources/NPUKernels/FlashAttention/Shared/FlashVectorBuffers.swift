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

  init(_ memory: PlacedBuffers) throws(NPUError) {
    scores = try memory.buffer("s", in: UB.self)
    folded = try memory.buffer("s_max", in: UB.self)
    weights = try memory.buffer("p_chunk", in: UB.self)
    encoded = try memory.buffer("p_mx", in: UB.self)
    partials = try memory.buffer("p_sum", in: UB.self)
    products = try memory.buffer("t", in: UB.self)
    outputs = try memory.buffer("o", in: UB.self)
    tops = try memory.buffer("s_top", in: UB.self)
    limits = try memory.buffer("m", in: UB.self)
    factors = try memory.buffer("alpha", in: UB.self)
    tileSums = try memory.buffer("l_tile", in: UB.self)
    sums = try memory.buffer("l", in: UB.self)
  }
}
