/// A folder of .npy files with a manifest.json that says what each of them is.
///
/// ```json
/// {
///   "v": { "file": "v.npy", "dtype": "I8", "shape": [128, 64], "axis": -2 },
///   "v.scale": { "file": "v.scale.npy", "dtype": "F8_E8M0", "shape": [4, 64] },
///   "__metadata__": { "seed": "0" }
/// }
/// ```
///
/// `file` is relative to the folder and may not lead out of it. `shape` may be left out; when it is
/// there it must be the file's. `axis` is the block axis of an MXINT8 tensor and becomes the
/// metadata `NAME.axis` of the set.
///
/// A folder without a manifest is read too, as other tools dump one file for each tensor: `NAME.npy`
/// is the tensor NAME, `NAME.scale.npy` its E8M0 scales, and `<u2` words are BF16.
public enum TensorFolder {
  /// Reads a folder.
  ///
  /// - Throws: `.io` when a file cannot be read, `.tensor` when the manifest or a file is at fault.
  public static func read(_ path: String) throws(NPUError) -> TensorSet {
    try TensorArchive(folder: path).readAll()
  }

  /// What a folder holds, from its manifest and the headers of its files.
  struct Listing {
    var entries: [TensorArchive.Entry] = []
    var metadata: [String: String] = [:]
    /// The folder's path.
    var origin: String
  }

  /// Lists a folder. A file that cannot be used is a fault of its entry.
  ///
  /// - Throws: `.io` when there is no folder, `.tensor` when the manifest is at fault.
  static func listing(of path: String) throws(NPUError) -> Listing {
    let folder = FileFailure.withoutTrailingSlashes(path)
    var listing = Listing(origin: folder)
    if !FolderAccess.exists("\(folder)/\(TensorManifest.fileName)") {
      let suffix = ".npy"
      for file in try FolderAccess.names(in: folder) where file.hasSuffix(suffix) {
        let name = String(file.dropLast(suffix.count))
        let isScale = name.hasSuffix(TensorSet.scaleSuffix)
        listing.entries.append(
          Npy.entry("\(folder)/\(file)", named: name, as: isScale ? .e8m0 : nil))
      }
      if !listing.entries.isEmpty { return listing }
    }
    let manifest = try TensorManifest(folder: folder)
    listing.metadata = manifest.metadata
    for entry in manifest.entries {
      listing.entries.append(entry.archived(in: folder))
      if let axis = entry.axis { listing.metadata[TensorSet.axisKey(entry.name)] = String(axis) }
    }
    return listing
  }

  /// Writes a folder, which appears complete or not at all: one .npy for each tensor and the
  /// manifest, tensors in the order of the set.
  ///
  /// - Parameter force: whether an existing tensor folder may be replaced. A folder that holds any
  ///   file its own manifest does not name is never replaced.
  /// - Throws: `.io` when the folder exists or cannot be written.
  public static func write(
    _ set: TensorSet, to path: String, force: Bool
  ) throws(NPUError) {
    let staged = try StagedFolder(path, replacing: force ? replaceable(in: path) : nil)
    var files = FileNames()
    var members: [JSONMember] = []
    var metadata = set.metadata
    for name in set.names {
      guard let tensor = set[name] else { continue }
      let file = files.name(for: name)
      try Npy.write(tensor, to: "\(staged.path)/\(file)", force: false)
      var entry = [
        JSONMember("file", .string(file)),
        JSONMember("dtype", .string(tensor.dtype.rawValue)),
        JSONMember("shape", .array(tensor.shape.map { .integer($0) })),
      ]
      let axisKey = TensorSet.axisKey(name)
      if let axis = metadata[axisKey].flatMap(Int.init), String(axis) == metadata[axisKey],
        (try? MXTensor.normalised(axis, rank: tensor.rank)) != nil
      {
        entry.append(JSONMember("axis", .integer(axis)))
        metadata[axisKey] = nil
      }
      members.append(JSONMember(name, .object(entry)))
    }
    if !metadata.isEmpty {
      let sorted = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      members.append(
        JSONMember(
          TensorSet.metadataKey, .object(sorted.map { JSONMember($0.key, .string($0.value)) })))
    }
    try AtomicFile.write(
      JSONValue.object(members).bytes(), to: "\(staged.path)/\(TensorManifest.fileName)",
      force: false)
    try staged.commit()
  }

  /// The files of an existing tensor folder; none when it is not one.
  private static func replaceable(in path: String) -> Set<String> {
    let folder = FileFailure.withoutTrailingSlashes(path)
    guard let manifest = try? TensorManifest(folder: folder) else { return [] }
    return Set(manifest.entries.map(\.file) + [TensorManifest.fileName])
  }

  // MARK: File names

  /// Gives every tensor a file name that is safe and unique, upper and lower case being the same.
  private struct FileNames {
    private var taken: Set<String> = [TensorManifest.fileName]

    mutating func name(for tensor: String) -> String {
      var stem = ""
      for byte in tensor.utf8 {
        let scalar = Character(Unicode.Scalar(byte))
        let isSafe =
          byte < 0x80 && (scalar.isLetter || scalar.isNumber || scalar == "_" || scalar == "-")
        if isSafe || (scalar == "." && !stem.isEmpty) {
          stem.append(scalar)
        } else {
          stem += byte < 16 ? "%0" : "%"
          stem += String(byte, radix: 16, uppercase: true)
        }
      }
      if stem.utf8.count > 200 { stem = String(stem.prefix(200)) }
      var file = stem + ".npy"
      var number = 2
      while !taken.insert(file.lowercased()).inserted {
        file = "\(stem)-\(number).npy"
        number += 1
      }
      return file
    }
  }
}
