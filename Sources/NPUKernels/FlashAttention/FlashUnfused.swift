import NPUSim

/// The unfused rung of ``FlashAttention``.
struct FlashUnfused: FlashProgram {
  static func candidates(_ shape: FlashShape, machine: MachineConfiguration) -> [FlashSchedule] {
    [FlashSchedule(tileQ: min(128, shape.queries), tileKV: 128)]
  }

  static func overflow(
    _ plan: FlashSchedule, shape: FlashShape, machine: MachineConfiguration
  ) -> String? { nil }

  init(_ kernel: FlashAttention) {}

  func emit(_ tensors: FlashTensors, into p: inout ProgramBuilder) throws(NPUError) {
    throw NPUError(
      .usage, "flash_attention has no unfused rung yet", hint: "use --rung decode")
  }
}
