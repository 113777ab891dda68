/// What the numbers of a run show.
extension FindingKind {
  static let N001 = FindingKind(
    .warning, "NaN or infinity",
    """
    A NaN came out of the datapath, or an infinity out of finite operands, as it would out of the
    hardware. The message names the first micro-op. Not counted are infinities that are passed on
    (the −∞ of masked elements) and what a definition names: log 0, 1/0 and 1/√0 of the special
    functions, a block of zeros divided by its scale of 0.
    """,
    example: """
      exp(89) overflows BF16: softmax without its row maximum subtracted does this for scores
      above 88.7
      """,
    fix: """
      Correct the inputs, or choose a form that cannot overflow, such as `--stable`. A block of
      MXINT8 with one such element is NaN as a whole.
      """)

  static let N002 = FindingKind(
    .warning, "saturation",
    """
    Values were too large for their format and became its largest finite value.
    """,
    example: """
      500 as saturating E4M3FN is 448
      """,
    fix: """
      Scale the block before the conversion, or use a format with more range (E5M2 reaches
      57344).
      """)

  static let N003 = FindingKind(
    .warning, "accumulator drift",
    """
    A long accumulation in BF16 has stalled: partial sums have grown so large that further
    addends are rounded away, and together these exceed 1/32 of the accumulator. The engine
    follows the chain of the middle element of every eighth accumulator tile of a core.
    """,
    example: """
      256 + 0.5 is 256 in BF16, however often it is added: a row of equal products stalls at
      256 blocks of 32, and is reported from 265 on
      """,
    fix: """
      Use the FP32 accumulator (`--set matrix.accumulator=fp32`), or cut the sum in pieces that
      are added in FP32.
      """)

  static let N004 = FindingKind(
    .error, "golden mismatch",
    """
    A tensor differs from the reference, or from the expected one by more than `--tolerance`,
    `--rtol` and `--ulp` accept. The message has the first difference: index, both words, the
    distance in units of the last place, and the micro-op that wrote it.
    """,
    example: """
      simctl run softmax_v --kv 128 --expect golden.safetensors --rtol 0.01
      """,
    fix: """
      Compare the intermediate tensors from the first to the last: the first that differs shows
      the step at fault. Check that seed, accumulator and `sfu.mode` are those of the golden
      run.
      """)

  static let N005 = FindingKind(
    .warning, "error larger than roundings explain",
    """
    A tensor is further from its exact values in FP64 than roundings explain that err at random:
    more than four times that, and more than a quarter of the values. Either something is wrong,
    or the roundings of a long sum all go one way.
    """,
    example: """
      14,336 equal products summed in BF16 come out a third too small, as every addition rounds
      down
      """,
    fix: """
      See which tensor is the first, and how far the one before it is off. For long sums use the
      FP32 accumulator (`--set matrix.accumulator=fp32`), or cut them in pieces.
      """)
}
