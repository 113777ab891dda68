/// The header of a safetensors file, read and checked against the size of its data.
struct SafetensorsHeader {
  /// One tensor: its bytes are `begin ..< end` of the data.
  struct Entry {
    var name: String
    /// The type as the header spells it.
    var type: String
    var shape: [Int]
    var begin: Int
    var end: Int
    var location: SourceLocation?
    /// Why the type cannot be read; `nil` where it can.
    var fault: NPUError?

    /// The entry of an archive whose data starts at byte `start`.
    func archived(after start: Int) -> TensorArchive.Entry {
      TensorArchive.Entry(
        name: name, type: type, shape: shape, candidates: DType(rawValue: type).map { [$0] } ?? [],
        fault: fault, place: .bytes(start + begin..<start + end))
    }
  }

  /// In the order of the header.
  var entries: [Entry] = []
  var metadata: [String: String] = [:]

  /// Where the data starts, from the first eight bytes and the size of the file, `nil` for a stream.
  static func dataStart(prefix: [UInt8], size: Int?, file: String) throws(NPUError) -> Int {
    guard prefix.count == 8 else {
      throw NPUError(
        .tensor,
        "\(file) has \(prefix.count) bytes; a safetensors file starts with the 8 bytes of its header size"
      )
    }
    let headerSize = prefix.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard headerSize <= UInt64(Safetensors.headerLimit) else {
      throw NPUError(
        .tensor,
        "\(file) claims a header of \(headerSize) bytes; "
          + "safetensors allows \(Safetensors.headerLimit)",
        hint: "is it a safetensors file?")
    }
    let dataStart = 8 + Int(headerSize)
    if let size, dataStart > size {
      throw truncated(dataStart - 8, found: size - 8, file: file)
    }
    return dataStart
  }

  /// The error of a file that ends inside its header.
  static func truncated(_ size: Int, found: Int, file: String) -> NPUError {
    NPUError(
      .tensor, "\(file) is truncated: its header takes \(size) bytes, only \(found) follow")
  }

  /// - Parameters:
  ///   - json: the header text, padding included.
  ///   - dataCount: the bytes after it; `nil` for a stream, which tells only at its end.
  init(json: [UInt8], dataCount: Int?, file: String) throws(NPUError) {
    do throws(NPUError) {
      guard json.first == UInt8(ascii: "{") else {
        throw NPUError(
          .tensor, "the text must start with `{`",
          at: SourceLocation(file: file, line: 1, column: 1), hint: "is it a safetensors file?")
      }
      let root = try JSONValue.parse(json, file: file, category: .tensor)
      for member in root.members {
        if member.key == TensorSet.metadataKey {
          metadata = try Self.metadata(member.value)
        } else {
          entries.append(try Self.entry(member))
        }
      }
      try Self.checkLayout(entries, dataCount: dataCount)
    } catch {
      throw Self.inHeader(error)
    }
  }

  private static func inHeader(_ error: NPUError) -> NPUError {
    var error = error
    error.message = "safetensors header: \(error.message)"
    return error
  }

  private static func metadata(_ value: JSONValue) throws(NPUError) -> [String: String] {
    var metadata: [String: String] = [:]
    let members = try value.requireMembers(TensorSet.metadataKey, category: .tensor)
    for member in members {
      metadata[member.key] = try member.value.requireString(
        "\(TensorSet.metadataKey).\(member.key)", category: .tensor)
    }
    return metadata
  }

  private static func entry(_ member: JSONMember) throws(NPUError) -> Entry {
    let name = "tensor \(JSONWriter.quoted(member.key))"
    let reader = try JSONObjectReader(
      member.value, path: name, keys: ["dtype", "shape", "data_offsets"], category: .tensor)
    let type = try reader.string("dtype")
    var fault: NPUError?
    if DType(rawValue: type) == nil {
      fault = inHeader(
        NPUError(
          .tensor, "\(name) has dtype \(JSONWriter.quoted(type)), which is not supported",
          at: try reader.value("dtype").location,
          hint: "supported: \(DType.names.joined(separator: ", "))"))
    }
    var shape: [Int] = []
    for value in try reader.array("shape") {
      shape.append(try size(value, reader.path(of: "shape")))
    }
    let offsets = try reader.value("data_offsets")
    let bounds = try offsets.requireArray(reader.path(of: "data_offsets"), category: .tensor)
    guard bounds.count == 2 else {
      throw NPUError(
        .tensor, "\(name) has \(bounds.count) data_offsets; begin and end are needed",
        at: offsets.location)
    }
    let begin = try size(bounds[0], reader.path(of: "data_offsets"))
    let end = try size(bounds[1], reader.path(of: "data_offsets"))
    guard begin <= end else {
      throw NPUError(
        .tensor, "\(name) ends at byte \(end), before it begins at \(begin)",
        at: offsets.location)
    }
    let needed: Int?
    do {
      needed = try byteCount(type, shape)
    } catch {
      throw NPUError(.tensor, "\(name): \(error.message)", at: try reader.value("shape").location)
    }
    if let needed, end - begin != needed {
      throw NPUError(
        .tensor,
        "\(name) has \(end - begin) bytes; \(type) of shape \(shape) takes \(needed)",
        at: offsets.location)
    }
    return Entry(
      name: member.key, type: type, shape: shape, begin: begin, end: end,
      location: member.keySpan?.location, fault: fault)
  }

  /// Bits of the elements of safetensors' types that nothing here reads.
  private static let foreignBits = [
    "BOOL": 8, "U8": 8, "I16": 16, "U16": 16, "U32": 32, "U64": 64, "C64": 64, "F4": 4,
    "F6_E2M3": 6, "F6_E3M2": 6, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
  ]

  /// The bytes that a type and shape take; `nil` for a type that nobody knows.
  private static func byteCount(_ type: String, _ shape: [Int]) throws(NPUError) -> Int? {
    if let dtype = DType(rawValue: type) { return try Tensor.byteCount(dtype, shape) }
    let count = try Tensor.elementCount(shape)
    guard let bits = foreignBits[type] else { return nil }
    let (total, overflow) = count.multipliedReportingOverflow(by: bits)
    guard !overflow else {
      throw NPUError(.tensor, "the shape \(shape) has too many bytes to count")
    }
    return total / 8 + (total % 8 == 0 ? 0 : 1)
  }

  private static func size(_ value: JSONValue, _ what: String) throws(NPUError) -> Int {
    let size = try value.requireInt(what, in: 0...Int.max, category: .tensor)
    guard case .number(let number) = value.content, number.isPlain else {
      throw NPUError(
        .tensor, "\(what) has \(value.summary); plain digits are needed", at: value.location)
    }
    return size
  }

  /// The data must be covered exactly once.
  private static func checkLayout(_ entries: [Entry], dataCount: Int?) throws(NPUError) {
    var last: Entry?
    for entry in entries.sorted(by: { ($0.begin, $0.end) < ($1.begin, $1.end) }) {
      let name = "tensor \(JSONWriter.quoted(entry.name))"
      let expected = last?.end ?? 0
      if let dataCount, entry.end > dataCount {
        throw NPUError(
          .tensor, "\(name) ends at byte \(entry.end) of the data, which has only \(dataCount)",
          at: entry.location, hint: "the file may be truncated")
      }
      if entry.begin < expected {
        let other = last.map { JSONWriter.quoted($0.name) } ?? ""
        throw NPUError(
          .tensor,
          "\(name) begins at byte \(entry.begin) of the data, inside \(other), "
            + "which ends at \(expected)", at: entry.location)
      }
      if entry.begin > expected {
        throw NPUError(
          .tensor,
          "bytes \(expected) to \(entry.begin - 1) of the data, before \(name), "
            + "belong to no tensor", at: entry.location)
      }
      last = entry
    }
    let covered = last?.end ?? 0
    if let dataCount, covered != dataCount {
      throw NPUError(
        .tensor, "the last \(dataCount - covered) bytes of the data belong to no tensor")
    }
  }
}
