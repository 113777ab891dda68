/// The bytes of a tensor that outlives programs: payload and scales, and which of them were ever written.
public final class TensorStorage {
  public let form: TensorForm
  /// The payload, and from ``scaleBase`` on the scales.
  let plane: BytePlane
  let scaleBase: Int
  /// Whether every byte is known to be written.
  private(set) var isWritten = false

  /// Nothing is written.
  init(_ form: TensorForm) {
    self.form = form
    scaleBase = roundUp(form.payloadBytes, to: 64)
    // Cores write side by side.
    plane = .allocate(scaleBase + form.scaleBytes, isShared: true)
  }

  deinit { plane.deallocate() }

  /// The words of a view in the order of its dimensions, scales apart; what was never written is 0, and
  /// makes `isComplete` false. Throws as ``TensorView/frame(slots:rows:columns:of:)``.
  func read(_ view: TensorView, of name: String) throws(NPUError) -> TensorWords {
    let frame = try view.frame(of: name)
    var words = TensorWords(frame, form)
    frame.forEachRun(form) { run in
      let start = (run.isScale ? scaleBase : 0) + run.place
      let bytes = UnsafeBufferPointer(start: UnsafePointer(plane.pointer(start)), count: run.count)
      let target = run.target..<run.target + run.count
      if run.isScale {
        words.scales.replaceSubrange(target, with: bytes)
      } else {
        words.payload.replaceSubrange(target, with: bytes)
      }
      if isWritten || plane.firstPoisoned(Self.region(start, run.count)) == nil { return }
      words.isComplete = false
      for index in 0..<run.count
      where plane.firstPoisoned(Self.region(start + index, 1)) != nil {
        if run.isScale {
          words.scales[run.target + index] = 0
        } else {
          words.payload[run.target + index] = 0
        }
      }
    }
    return words
  }

  /// Writes the words of a view. Throws `.tensor` for another number of bytes.
  func write(_ words: TensorWords, to view: TensorView, of name: String) throws(NPUError) {
    let frame = try view.frame(of: name)
    let needed = TensorWords(frame, form)
    guard words.payload.count == needed.payload.count, words.scales.count == needed.scales.count
    else {
      throw NPUError(
        .tensor,
        "\(name): found \(words.payload.count) payload and \(words.scales.count) scale bytes, needed "
          + "\(needed.payload.count) and \(needed.scales.count)")
    }
    frame.forEachRun(form) { run in
      let start = (run.isScale ? scaleBase : 0) + run.place
      let source = run.isScale ? words.scales : words.payload
      source.withUnsafeBufferPointer { bytes in
        guard let first = bytes.baseAddress else { return }
        plane.pointer(start).update(from: first + run.target, count: run.count)
      }
      plane.markWritten(Self.region(start, run.count))
    }
    if frame.isDense(form.elements) { isWritten = true }
  }

  private static func region(_ start: Int, _ count: Int) -> Region {
    Region(plane: .hbm, base: start, pitch: count, runBytes: count, rows: 1)
  }
}
