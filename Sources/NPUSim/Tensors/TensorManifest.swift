/// What the manifest.json of a tensor folder says; ``TensorFolder`` shows one.
struct TensorManifest {
  /// One tensor.
  struct Entry {
    /// The tensor's name.
    var name: String
    var file: String
    /// The type as the manifest spells it.
    var type: String
    var shape: [Int]?
    var axis: Int?
    var location: SourceLocation?
    var fileLocation: SourceLocation?
    /// Why the type cannot be read; `nil` where it can.
    var fault: NPUError?
  }

  /// In the order of the manifest.
  var entries: [Entry] = []
  var metadata: [String: String] = [:]

  static let fileName = "manifest.json"
  /// The largest manifest accepted, in bytes.
  static let sizeLimit = 100_000_000

  /// Reads the manifest of a folder and checks all of it that needs no other file.
  init(folder: String) throws(NPUError) {
    let path = "\(folder)/\(Self.fileName)"
    guard FolderAccess.exists(path) else {
      throw NPUError(
        .io, "the folder \(folder) has no \(Self.fileName), which maps names to .npy files",
        hint: "{\"x\": {\"file\": \"x.npy\", \"dtype\": \"BF16\"}} is one")
    }
    let root = try JSONValue.parse(
      FileReader.contents(of: path, limit: Self.sizeLimit), file: path, category: .tensor)
    for member in try root.requireMembers("the manifest", category: .tensor) {
      if member.key == TensorSet.metadataKey {
        for item in try member.value.requireMembers(member.key, category: .tensor) {
          metadata[item.key] = try item.value.requireString(
            "\(member.key).\(item.key)", category: .tensor)
        }
      } else {
        entries.append(try Self.entry(member))
      }
    }
    for entry in entries where entry.axis != nil {
      let key = TensorSet.axisKey(entry.name)
      if metadata[key] != nil {
        throw NPUError(
          .tensor, "the block axis of \"\(entry.name)\" is given twice", at: entry.location,
          hint: "remove \"\(key)\" from \(TensorSet.metadataKey)")
      }
    }
  }

  private static func entry(_ member: JSONMember) throws(NPUError) -> Entry {
    let reader = try JSONObjectReader(
      member.value, path: JSONWriter.quoted(member.key),
      keys: ["file", "dtype", "shape", "axis"], category: .tensor)
    var entry = Entry(
      name: member.key, file: try reader.string("file"), type: try reader.string("dtype"),
      location: member.keySpan?.location, fileLocation: try reader.value("file").location)
    do throws(NPUError) {
      _ = try reader.choice("dtype", of: DType.self)
    } catch {
      entry.fault = error
    }
    if reader.has("shape") {
      var shape: [Int] = []
      for value in try reader.array("shape") {
        shape.append(
          try value.requireInt(
            reader.path(of: "shape"), in: 0...Int.max, category: .tensor))
      }
      entry.shape = shape
    }
    if reader.has("axis") { entry.axis = try reader.int("axis") }
    let parts = entry.file.utf8.split(
      separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    let isPlain = parts.allSatisfy { part in
      !["", ".", ".."].contains { part.elementsEqual($0.utf8) }
    }
    guard isPlain, !entry.file.utf8.contains(0) else {
      throw NPUError(
        .tensor,
        "\(reader.path(of: "file")) is \(JSONWriter.quoted(entry.file)), "
          + "which is not a path inside the folder",
        at: entry.fileLocation, hint: "put the file into the folder and name it alone")
    }
    return entry
  }
}

extension TensorManifest.Entry {
  /// The entry of an archive, judged from the header of its file.
  func archived(in folder: String) -> TensorArchive.Entry {
    var entry = TensorArchive.Entry(
      name: name, type: type, shape: shape ?? [], candidates: [], fault: fault,
      place: .file("\(folder)/\(file)"))
    guard let dtype = DType(rawValue: type) else { return entry }
    do throws(NPUError) {
      let path = try path(in: folder)
      entry = Npy.entry(path, named: name, as: dtype, type: type)
      if entry.fault == nil { try check(entry) }
    } catch {
      entry.fault = error
    }
    return entry
  }

  /// What manifest and file must agree on.
  private func check(_ entry: TensorArchive.Entry) throws(NPUError) {
    if let shape, shape != entry.shape {
      throw NPUError(
        .tensor,
        "the manifest gives \"\(name)\" the shape \(shape); \(file) has \(entry.shape)",
        at: location)
    }
    guard let axis else { return }
    do throws(NPUError) {
      _ = try MXTensor.normalised(axis, rank: entry.shape.count)
    } catch {
      throw NPUError(.tensor, "\"\(name)\": \(error.message)", at: location)
    }
  }

  /// The path of the file, once it is sure that no symbolic link leads out of the folder.
  func path(in folder: String) throws(NPUError) -> String {
    let path = "\(folder)/\(file)"
    let root = AtomicFile.resolved(folder)
    let resolved = AtomicFile.resolved(path)
    guard !FolderAccess.exists(path) || resolved.hasPrefix(root == "/" ? "/" : root + "/") else {
      throw NPUError(
        .tensor, "\"\(name)\" names \(JSONWriter.quoted(file)), a link that leads out of \(folder)",
        at: fileLocation)
    }
    return path
  }
}
