/// What a micro-op asks of its unit, in the unit's own measure; a machine turns it into cycles.
///
/// Micro-ops never mention cycles: the price is work × configuration. Equal work is stored once.
public struct Work: Sendable, Hashable {
  /// Which unit's measure the amounts are in.
  public enum Kind: UInt8, Sendable, Hashable {
    /// Synchronisation: no work.
    case none
    /// `amounts`: useful bytes, port bytes, HBM bytes in whole bursts.
    case transfer
    /// `amounts`: m, k, n.
    case matrix
    /// `amounts`: elements; and where the machine prices them, the bits of the formats that are read
    /// and rows.
    case vector
    /// Stated with the micro-op. `amounts`: cycles of occupancy, cycles of latency, and the micro-op's
    /// name, an index in ``Program/opNames``; `detail` is 1 for one that streams.
    case stated
  }

  public var kind: Kind
  /// Raw value of the ``TransferPath`` or ``VectorClass``; 1 for ``streams``; 0 otherwise.
  public var detail: UInt8
  /// Of a transfer on a machine that charges for rows, one more than the index of its rows in
  /// ``Program/rowProfiles``; else 0.
  private(set) var profile: UInt32 = 0
  public var amounts: (Int64, Int64, Int64) { (a, b, c) }
  private var a: Int64
  private var b: Int64
  private var c: Int64

  private init(_ kind: Kind, _ detail: UInt8, _ a: Int, _ b: Int, _ c: Int) {
    self.kind = kind
    self.detail = detail
    self.a = Int64(a)
    self.b = Int64(b)
    self.c = Int64(c)
  }

  /// No work: synchronisation.
  public static let none = Work(.none, 0, 0, 0, 0)

  /// A transfer: `useful` bytes without padding; `port` bytes that pass the queue's port (whole
  /// bursts where HBM is an end, zero-filled bytes included); `hbm` bytes in whole bursts.
  public static func transfer(_ path: TransferPath, useful: Int, port: Int, hbm: Int) -> Work {
    Work(.transfer, path.rawValue, useful, port, hbm)
  }

  /// A matrix product of an `m × k` by a `k × n` tile, valid extents.
  public static func matrix(m: Int, k: Int, n: Int) -> Work { Work(.matrix, 0, m, k, n) }

  /// `elements` elements of a vector class.
  public static func vector(_ vectorClass: VectorClass, elements: Int) -> Work {
    Work(.vector, vectorClass.rawValue, elements, 0, 0)
  }

  /// The time that an opaque micro-op states, whatever the machine; `name` is an index in
  /// ``Program/opNames``.
  public static func stated(
    cycles: Int, latency: Int, streams: Bool = false, name: Int = 0
  ) -> Work {
    Work(.stated, streams ? 1 : 0, cycles, latency, name)
  }

  /// The same with the rows at a place in ``Program/rowProfiles``, of a transfer.
  func with(profile index: Int) -> Work {
    var result = self
    if kind == .transfer { result.profile = UInt32(truncatingIfNeeded: index + 1) }
    return result
  }

  /// The same without its rows.
  var withoutRows: Work {
    var result = self
    result.profile = 0
    return result
  }

  /// The same with operands in some formats and rows, of a vector micro-op.
  func with(_ formats: FormatSet, rows: Int) -> Work {
    var result = self
    if kind == .vector { (result.b, result.c) = (Int64(formats.bits), Int64(rows)) }
    return result
  }

  /// The same of another name, where it has one.
  func named(_ name: Int) -> Work {
    var result = self
    if kind == .stated { result.c = Int64(name) }
    return result
  }

  /// Whether an opaque micro-op says that it streams.
  public var streams: Bool { kind == .stated && detail != 0 }

  /// The index in ``Program/opNames`` of an opaque micro-op, `nil` otherwise.
  public var name: Int? { kind == .stated ? Int(c) : nil }

  /// The path of a transfer, `nil` otherwise.
  public var path: TransferPath? {
    kind == .transfer ? TransferPath(rawValue: detail) : nil
  }

  /// The class of a vector micro-op, `nil` otherwise.
  public var vectorClass: VectorClass? {
    kind == .vector ? VectorClass(rawValue: detail) : nil
  }

  /// Multiply-accumulates asked for.
  public var macs: Int64 { kind == .matrix ? a * b * c : 0 }

  /// Useful bytes moved; 0 unless a transfer.
  public var usefulBytes: Int64 { kind == .transfer ? a : 0 }

  /// Bytes through the queue's port; 0 unless a transfer.
  public var portBytes: Int64 { kind == .transfer ? b : 0 }

  /// HBM bytes in whole bursts; 0 unless a transfer with an end in HBM.
  public var hbmBytes: Int64 { kind == .transfer ? c : 0 }

  /// Elements of a vector micro-op; 0 otherwise.
  public var elements: Int64 { kind == .vector ? a : 0 }

  /// Formats that a vector micro-op reads, where the machine prices them.
  public var formats: FormatSet { FormatSet(bits: kind == .vector ? UInt32(clamping: b) : 0) }

  /// Rows of a vector micro-op's largest operand, where the machine prices them; 0 otherwise.
  public var rows: Int64 { kind == .vector ? c : 0 }
}
