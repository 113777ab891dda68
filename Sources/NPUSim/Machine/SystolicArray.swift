/// A grid of MACs through which operands move one cell a cycle: the parameters of a matrix unit of the
/// kind ``MachineConfiguration/MatrixUnit/Kind/systolic``. One of another kind has them without effect.
public struct SystolicArray: Sendable, Hashable {
  /// What stays in the cells while the rest moves.
  public enum Dataflow: String, Sendable, CaseIterable {
    /// Sums stay: a fold makes `rows × columns` of them, k streams.
    case outputStationary = "os"
    /// The right operand stays: a fold holds `rows` of k by `columns` of n, m streams.
    case weightStationary = "ws"
    /// The left operand stays: a fold holds `rows` of k by `columns` of m, n streams.
    case inputStationary = "is"
  }

  public var dataflow: Dataflow
  public var rows: Int
  public var columns: Int
  /// Cycles by which a fold begins before the one before it has ended. Never more than a fold takes
  /// beside what streams.
  public var foldOverlap: Int64

  public init(
    _ dataflow: Dataflow = .outputStationary, rows: Int = 32, columns: Int = 32,
    foldOverlap: Int64 = 0
  ) {
    self.dataflow = dataflow
    self.rows = rows
    self.columns = columns
    self.foldOverlap = foldOverlap
  }
}
