/// A record of a kernel, made a program for a machine; docs/import.md has the form.
public struct RecordProgram: Sendable {
  public let program: Program
  /// Where each micro-op stands in the kernel's source, as far as the record says it.
  public let origins: OpOrigins

  /// Micro-ops up to which repetition is looked for when a record is printed.
  public static let mostRolled = 1 << 20

  /// Whether bytes begin like a record, of this version or another.
  public static func isRecord(_ bytes: [UInt8]) -> Bool { RecordParser.begins(bytes) }

  /// The program of a record, or what is wrong with it.
  ///
  /// - Parameter marksLines: whether micro-ops that name no place in a source stand at their lines of
  ///   the record.
  public static func read(
    _ source: TextSource, machine: MachineConfiguration, catalogue: OpCatalogue,
    marksLines: Bool = false
  ) -> TextOutcome<RecordProgram> {
    let parsed = RecordParser.parse(source)
    guard let tree = parsed.value else { return TextOutcome(nil, parsed.errors) }
    var builder = RecordBuilder(source, tree, machine, catalogue, marksLines: marksLines)
    let program = builder.run()
    return TextOutcome(program, builder.errors.sorted)
  }

  /// The program as text, with the places of its source.
  ///
  /// - Parameter rollsLoops: whether repetition becomes loops, in programs of up to ``mostRolled``
  ///   micro-ops.
  public func text(rollsLoops: Bool, comments: [String] = []) throws(NPUError) -> [UInt8] {
    var options = ProgramText.Options()
    options.rollsLoops = rollsLoops && program.opCount <= Self.mostRolled
    options.comments = comments
    options.origins = origins
    return try ProgramText.print(program, options)
  }
}
