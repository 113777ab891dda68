extension OpCatalogue {
  /// Every micro-op of the machine. To add one, declare it and list it here.
  public static let standard = OpCatalogue([
    // Sync: the first four are fixed, as lowering makes them.
    SetEvent.self, WaitEvent.self, QueueBarrier.self, CoreBarrier.self, ChipBarrier.self,
    // Movement
    LoadL1.self, LoadUB.self, FeedLeft.self, FeedRight.self, FeedLeftTransposed.self,
    FeedRightTransposed.self, DrainUB.self, DrainHBM.self, StoreHBM.self, StoreL1.self,
    // Matrix
    Matmul.self,
    // Vector: arithmetic
    Elementwise<AddRule>.self, Elementwise<SubRule>.self, Elementwise<MulRule>.self,
    Elementwise<DivRule>.self, Elementwise<MaxRule>.self,
    RowBroadcast<AddRule>.self, RowBroadcast<SubRule>.self, RowBroadcast<MulRule>.self,
    RowBroadcast<DivRule>.self, RowBroadcast<MaxRule>.self,
    WithScalar<AddRule>.self, WithScalar<SubRule>.self, WithScalar<MulRule>.self,
    WithScalar<DivRule>.self, WithScalar<MaxRule>.self,
    Abs.self,
    // Vector: special functions
    Special<ExpRule>.self, Special<Exp2Rule>.self, Special<ReciprocalRule>.self,
    Special<RsqrtRule>.self, Special<SinRule>.self, Special<CosRule>.self,
    Special<SigmoidRule>.self, Special<SiluRule>.self, Special<LogRule>.self,
    // Vector: row reductions
    RowSum.self, RowFinish.self, RowMax.self,
    // Vector: formats and copies
    Cast.self, CopyUB.self, TransposeUB.self, Fill.self, EncodeMX.self,
  ])
}
