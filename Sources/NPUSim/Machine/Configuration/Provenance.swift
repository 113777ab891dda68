/// Where the value of a machine parameter comes from.
public struct Provenance: Sendable, Hashable {
  /// How much the value can be trusted.
  public enum Kind: String, Sendable, CaseIterable {
    /// Read in a public document.
    case published
    /// Fitted to public measurements.
    case measured
    /// Chosen without a source.
    case assumed
    /// Changed by the user: on the command line, or by a bare value of a description. No file states
    /// it of itself.
    case overridden = "set"

    /// The kinds that a file may state.
    public static let inFiles = [Kind.published, .measured, .assumed]
  }

  public var kind: Kind
  /// One line that names the source or the reason.
  public var source: String

  public init(_ kind: Kind, _ source: String) {
    self.kind = kind
    self.source = source
  }

  /// The provenance of a value that a `--set` flag gave.
  public static let commandLine = Provenance(.overridden, "set on the command line")
}
