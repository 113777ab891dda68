import NPUSim

/// The rings through which the operands of both products of a rung pass, and the scores' accumulators:
/// q and p on their left sides, k and v on their right ones.
struct FlashProductRings {
  var query: Ring<L1>
  var weights: Ring<L1>
  var leftQuery: Ring<Left>
  var leftWeights: Ring<Left>
  var rightKeys: Ring<Right>
  var rightValues: Ring<Right>
  var accScores: Ring<Acc>

  /// Throws `.internal` where the rung's buffers lack one of them.
  init(_ memory: PlacedBuffers) throws(NPUError) {
    query = try memory.ring("q", in: L1.self)
    weights = try memory.ring("p", in: L1.self)
    leftQuery = try memory.ring("q_left", in: Left.self)
    leftWeights = try memory.ring("p_left", in: Left.self)
    rightKeys = try memory.ring("k_right", in: Right.self)
    rightValues = try memory.ring("v_right", in: Right.self)
    accScores = try memory.ring("s_acc", in: Acc.self)
  }
}
