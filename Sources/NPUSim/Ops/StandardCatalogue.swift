extension OpCatalogue {
  /// Every micro-op of the machine. To add one, declare it and list it below.
  public static let standard = OpCatalogue(
    entries: sync + movement + matrix + arithmetic + special + reductions + formats + blocks
      + attention + opaque)

  /// The first four are fixed, as lowering makes them.
  private static let sync: [OpEntry] = [
    .of(SetEvent.self), .of(WaitEvent.self), .of(QueueBarrier.self), .of(CoreBarrier.self),
    .of(ChipBarrier.self), .of(SetCoreEvent.self), .of(WaitCoreEvent.self),
  ]

  private static let movement: [OpEntry] = [
    .of(LoadL1.self), .of(LoadUB.self), .of(GatherL1.self), .of(GatherUB.self),
    .of(FeedLeft.self), .of(FeedRight.self), .of(FeedLeftTransposed.self),
    .of(FeedRightTransposed.self), .of(DrainUB.self), .of(DrainHBM.self), .of(DrainL1.self),
    .of(StoreHBM.self), .of(StoreL1.self), .of(StoreScatter.self),
  ]

  private static let matrix: [OpEntry] = [
    .of(Matmul.self)
  ]

  private static let arithmetic: [OpEntry] = [
    .of(Elementwise<AddRule>.self), .of(Elementwise<SubRule>.self),
    .of(Elementwise<MulRule>.self), .of(Elementwise<DivRule>.self),
    .of(Elementwise<MaxRule>.self), .of(RowBroadcast<AddRule>.self),
    .of(RowBroadcast<SubRule>.self), .of(RowBroadcast<MulRule>.self),
    .of(RowBroadcast<DivRule>.self), .of(RowBroadcast<MaxRule>.self),
    .of(WithScalar<AddRule>.self), .of(WithScalar<SubRule>.self), .of(WithScalar<MulRule>.self),
    .of(WithScalar<DivRule>.self), .of(WithScalar<MaxRule>.self), .of(Abs.self),
  ]

  private static let special: [OpEntry] = [
    .of(Special<ExpRule>.self), .of(Special<Exp2Rule>.self), .of(Special<ReciprocalRule>.self),
    .of(Special<RsqrtRule>.self), .of(Special<SinRule>.self), .of(Special<CosRule>.self),
    .of(Special<SigmoidRule>.self), .of(Special<SiluRule>.self), .of(Special<LogRule>.self),
  ]

  private static let reductions: [OpEntry] = [
    .of(RowSum.self), .of(RowFinish.self), .of(RowMax.self), .of(ArgMax.self),
  ]

  private static let formats: [OpEntry] = [
    .of(Cast.self), .of(CopyUB.self), .of(TransposeUB.self), .of(Fill.self), .of(EncodeMX.self),
    .of(DecodeMX.self),
  ]

  /// FP8 with 128-element blocks.
  private static let blocks: [OpEntry] = [
    .of(EncodeFP8.self), .of(RequantiseFP8.self), .of(BlockAbsMax.self),
    .of(BlockBroadcast<MulRule>.self), .of(BlockBroadcast<DivRule>.self), .of(CastScale.self),
  ]

  private static let attention: [OpEntry] = [
    .of(Exp2Fused.self), .of(RescaleAdd.self), .of(Mask.self), .of(Select.self),
    .of(SelectScalar.self), .of(SelectFinite.self), .of(RotatePairs.self),
  ]

  /// Instructions of other machines.
  private static let opaque: [OpEntry] = [
    .of(OpaqueOp.self)
  ]
}
