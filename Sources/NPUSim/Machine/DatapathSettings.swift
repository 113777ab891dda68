/// The parts of a configuration that decide values.
public struct DatapathSettings: Sendable, Hashable {
  /// Lanes of a row reduction; a power of two.
  public var lanes: Int
  public var accumulator: AccumulatorMode
  public var sfuMode: SFUMode

  public init(lanes: Int, accumulator: AccumulatorMode, sfuMode: SFUMode) {
    self.lanes = lanes
    self.accumulator = accumulator
    self.sfuMode = sfuMode
  }

  public init(_ machine: MachineConfiguration) {
    self.init(
      lanes: machine.vector.lanes, accumulator: machine.matrix.accumulator,
      sfuMode: machine.sfuMode)
  }
}
