import NPUSim

/// Where a run takes tensors from, and how much it may make of them.
public struct TensorSource: Sendable {
  /// A tensor of the kernel and what it is called in the file.
  public struct Rename: Sendable, Hashable {
    /// The kernel's name, or `NAME.scale` for the scales of an MXINT8 tensor.
    public var name: String
    public var fileName: String

    public init(_ name: String, from fileName: String) {
      self.name = name
      self.fileName = fileName
    }
  }

  public var archive: TensorArchive
  /// What the file calls tensors otherwise than the kernel.
  public var renames: [Rename] = []
  /// Whether a tensor that the kernel does not ask for is an error.
  public var isStrict = false
  /// Whether FP64, FP32, FP16 and BF16 are rounded to the float type that the kernel declares.
  public var casts = false

  public init(_ archive: TensorArchive) { self.archive = archive }

  /// Stands before a message about the file.
  var prefix: String { archive.origin.map { "\(ForeignText.visible($0)): " } ?? "" }

  /// The name that the file has for a tensor: the one that a rename gives, or the first of `names` that
  /// is there.
  func fileName(of names: [String]) -> String? {
    if let rename = renames.first(where: { names.contains($0.name) }) { return rename.fileName }
    return names.first { archive[$0] != nil }
  }

  /// Refuses renames that name nothing, and two for one tensor.
  ///
  /// - Parameter names: what may be renamed.
  /// - Throws: `.usage`, with the closest name.
  func checkRenames(to names: [String]) throws(NPUError) {
    for (index, rename) in renames.enumerated() {
      let text = "--map \(rename.name)=\(rename.fileName)"
      guard names.contains(rename.name) else {
        throw NPUError(
          .usage, "\(text): no input is named \(ForeignText.quoted(rename.name))",
          hint: DidYouMean.hint(for: rename.name, among: names)
            ?? "the name of the kernel comes first: --map NAME=FILE_NAME")
      }
      guard archive[rename.fileName] != nil else {
        throw NPUError(
          .usage,
          "\(text): \(archive.origin ?? "the file") has no tensor "
            + ForeignText.quoted(rename.fileName),
          hint: DidYouMean.hint(for: rename.fileName, among: archive.entries.map(\.name)))
      }
      if let other = renames[..<index].first(where: { $0.name == rename.name }) {
        throw NPUError(
          .usage, "--map names \(rename.name) twice, as \(other.fileName) and \(rename.fileName)",
          hint: "keep one of them")
      }
    }
  }
}
