/// How a program's values are executed. Nothing here changes a result of a program without races.
public struct FunctionalOptions: Sendable {
  /// Whether cores run on several threads between barriers over the cores, and a core shares its
  /// large products with a second thread where there are two processors for each core.
  ///
  /// A program with a race between cores has one result only when they run one after the other.
  public var runsCoresConcurrently: Bool
  /// Called now and then with the number of micro-ops executed since the last call, from any
  /// thread.
  public var progress: (@Sendable (Int) -> Void)?

  public init(
    runsCoresConcurrently: Bool = true, progress: (@Sendable (Int) -> Void)? = nil
  ) {
    self.runsCoresConcurrently = runsCoresConcurrently
    self.progress = progress
  }
}
