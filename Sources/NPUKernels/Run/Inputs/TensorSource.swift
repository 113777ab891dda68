import NPUSim

/// Where a run takes tensors from, its inputs or those that it is compared with, and how much it may
/// make of them.
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
  /// What files call tensors otherwise than the kernel; those that this one does not have are meant for
  /// another.
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
    if let rename = renames(to: names).first { return rename.fileName }
    return names.first { archive[$0] != nil }
  }

  /// The renames that give some of these names to tensors of the file.
  func renames(to names: [String]) -> [Rename] {
    renames.filter { names.contains($0.name) && archive[$0.fileName] != nil }
  }
}

extension RunRequest {
  /// Refuses renames that name nothing in any file, and two for one tensor.
  ///
  /// - Throws: `.usage`, with the closest name.
  func checkRenames(of specs: [TensorSpec]) throws(NPUError) {
    // An input may be compared, too; only what is given is an input.
    let files: [(archive: TensorArchive, names: [String])] = [
      source.map { ($0.archive, specs.filter(\.role.isGiven).flatMap(\.fileNames)) },
      expect.map { ($0.archive, specs.flatMap(\.fileNames)) },
    ].compactMap { $0 }
    let renames = source?.renames ?? expect?.renames ?? []
    for (index, rename) in renames.enumerated() {
      let text = "--map \(rename.name)=\(rename.fileName)"
      let knowing = files.filter { $0.names.contains(rename.name) }
      guard let last = knowing.last else {
        throw NPUError(
          .usage,
          "\(text): no \(expect == nil ? "input" : "tensor") is named "
            + ForeignText.quoted(rename.name),
          hint: DidYouMean.hint(for: rename.name, among: files.last?.names ?? [])
            ?? "the name of the kernel comes first: --map NAME=FILE_NAME")
      }
      guard knowing.contains(where: { $0.archive[rename.fileName] != nil }) else {
        let origins = knowing.map { $0.archive.origin ?? "the file" }
        let places = origins.count == 2 && origins[0] == origins[1] ? [origins[0]] : origins
        throw NPUError(
          .usage,
          "\(text): \(places.joined(separator: " and ")) has no tensor "
            + ForeignText.quoted(rename.fileName),
          hint: DidYouMean.hint(
            for: rename.fileName, among: last.archive.entries.map(\.name)))
      }
      if let other = renames[..<index].first(where: { $0.name == rename.name }) {
        throw NPUError(
          .usage, "--map names \(rename.name) twice, as \(other.fileName) and \(rename.fileName)",
          hint: "keep one of them")
      }
    }
  }
}
