/// The words of a tensor or a view: elements in the order of the dimensions, and the scales of MXINT8.
public struct TensorWords: Sendable, Hashable {
  public var payload: [UInt8]
  public var scales: [UInt8]
  /// Whether all of them were written at some time.
  public var isComplete = true

  public init(payload: [UInt8], scales: [UInt8] = []) {
    self.payload = payload
    self.scales = scales
  }

  /// Zeros for a frame.
  init(_ frame: ViewFrame, _ form: TensorForm) {
    payload = [UInt8](
      repeating: 0, count: frame.slotCount * frame.rowCount * frame.columns * form.format.bytes)
    scales = [UInt8](repeating: 0, count: frame.scaleCount(form))
  }
}
