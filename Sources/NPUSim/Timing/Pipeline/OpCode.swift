/// What the timing needs to know of a micro-op when it starts, in one word: its kind, and the place
/// of its price or of its event.
struct OpCode {
  private let bits: UInt32

  /// Largest index that fits.
  static let largestIndex = 1 << 29 - 1

  @inline(__always) init(_ kind: OpKind, _ index: Int) {
    bits = UInt32(truncatingIfNeeded: index) << 3 | UInt32(kind.rawValue)
  }

  /// What it does to order.
  @inline(__always) var isData: Bool { bits & 7 == UInt32(OpKind.data.rawValue) }
  @inline(__always) var isSet: Bool { bits & 7 == UInt32(OpKind.set.rawValue) }
  @inline(__always) var isWait: Bool { bits & 7 == UInt32(OpKind.wait.rawValue) }
  @inline(__always) var isCoreSet: Bool { bits & 7 == UInt32(OpKind.coreSet.rawValue) }
  @inline(__always) var isQueueBarrier: Bool { bits & 7 == UInt32(OpKind.barrierQueue.rawValue) }
  /// A barrier on all queues, of a core or of the chip.
  @inline(__always) var isWideBarrier: Bool { bits & 7 > UInt32(OpKind.barrierQueue.rawValue) }
  @inline(__always) var isCoreBarrier: Bool { bits & 7 == UInt32(OpKind.barrierCores.rawValue) }

  /// Position of the price of a micro-op on data, or of the event of a set or wait.
  @inline(__always) var index: Int { Int(bits >> 3) }

  /// Index of the reason for which its queue idles between its dispatch and its start.
  @inline(__always) var idleReason: Int {
    Int(truncatingIfNeeded: Self.idleReasons >> (UInt64(bits & 7) << 3) & 255)
  }

  /// One byte for each kind, `data` lowest.
  @inline(__always) private static var idleReasons: UInt64 {
    UInt64(StallReason.interlock.index) | UInt64(StallReason.dispatch.index) << 8
      | UInt64(StallReason.waitEvent.index) << 16 | UInt64(StallReason.dispatch.index) << 24
      | UInt64(StallReason.barrier.index) << 32 | UInt64(StallReason.barrier.index) << 40
      | UInt64(StallReason.barrier.index) << 48
  }
}
