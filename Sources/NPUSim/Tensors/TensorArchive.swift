import Synchronization

/// What a tensor file, folder or stream holds, judged from its headers: names, types and shapes are
/// known before a word is read, and only words that are asked for are.
///
/// A type or a file that cannot be used is a fault of its entry and matters to nobody who does not ask
/// for that tensor.
public struct TensorArchive: Sendable {
  /// A tensor as its header describes it.
  public struct Entry: Sendable {
    /// The tensor's name.
    public let name: String
    /// The type as the header spells it, such as `F32`, `BOOL` or `<u4`.
    public let type: String
    /// The dimensions, outermost first.
    public let shape: [Int]
    /// What its words may be: several where the file only says how wide they are, none where nobody
    /// here can read them.
    public let candidates: [DType]
    /// Why it cannot be read; `nil` where it can.
    public internal(set) var fault: NPUError?
    let place: Place
  }

  /// Where the words of an entry are.
  enum Place: Sendable {
    /// In a tensor set.
    case memory
    /// These bytes of the file or stream.
    case bytes(Range<Int>)
    /// A file of its own.
    case file(String)
  }

  /// A tensor to be read, and what its words are.
  public struct Selection: Hashable, Sendable {
    public var name: String
    /// One of the entry's candidates.
    public var dtype: DType

    public init(_ name: String, _ dtype: DType) {
      self.name = name
      self.dtype = dtype
    }
  }

  private enum Source: Sendable {
    case memory(TensorSet)
    case file(OpenFile)
    case stream(OpenStream)
    case folder
  }

  /// In the order of the file.
  public private(set) var entries: [Entry]
  /// Free text by key, such as the block axis `NAME.axis` of an MXINT8 tensor.
  public let metadata: [String: String]
  /// What messages call it.
  public let origin: String?
  private let source: Source
  private let places: [String: Int]

  private init(
    _ entries: [Entry], metadata: [String: String], origin: String?, source: Source
  ) throws(NPUError) {
    var places: [String: Int] = [:]
    let place = origin.map { " in \($0)" } ?? ""
    for (index, entry) in entries.enumerated() {
      guard !entry.name.isEmpty else { throw NPUError(.tensor, "a tensor has no name") }
      guard places.updateValue(index, forKey: entry.name) == nil else {
        throw NPUError(.tensor, "there are two tensors named \"\(entry.name)\"\(place)")
      }
    }
    self.entries = entries
    self.metadata = metadata
    self.origin = origin
    self.source = source
    self.places = places
  }

  /// The entry of a name, if there is one.
  public subscript(name: String) -> Entry? { places[name].map { entries[$0] } }

  // MARK: Sources

  /// The tensors of a set.
  public init(_ set: TensorSet) {
    let names = set.names
    entries = names.map { name in
      Entry(
        name: name, type: set[name]?.dtype.rawValue ?? "", shape: set[name]?.shape ?? [],
        candidates: set[name].map { [$0.dtype] } ?? [], place: .memory)
    }
    metadata = set.metadata
    origin = set.origin
    source = .memory(set)
    places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
  }

  /// The headers of what stands at a path: a safetensors file, the same in a pipe, or a folder of .npy
  /// files.
  ///
  /// - Throws: `.io` when it cannot be read, `.tensor` when its headers are at fault.
  public init(_ path: String) throws(NPUError) {
    if path.hasSuffix(".npy") || path.hasSuffix(".npz") {
      throw NPUError(
        .tensor, "\(path) has no tensor names",
        hint: "give a .safetensors file, or a folder with .npy files and a manifest.json")
    }
    if FolderAccess.isFolder(path) {
      try self.init(folder: path)
    } else if FileReader.isStream(path) {
      try self.init(stream: try ByteStream(path))
    } else {
      try self.init(safetensors: path)
    }
  }

  /// The header of a safetensors file.
  init(safetensors path: String) throws(NPUError) {
    let file = try FileReader(path)
    let prefix = try file.bytes(0..<min(8, file.size))
    let start = try SafetensorsHeader.dataStart(prefix: prefix, size: file.size, file: path)
    let header = try SafetensorsHeader(
      json: file.bytes(8..<start), dataCount: file.size - start, file: path)
    try self.init(
      header.entries.map { $0.archived(after: start) }, metadata: header.metadata, origin: path,
      source: .file(OpenFile(file)))
  }

  /// The header of a safetensors file that comes once and in order; the data is left in the stream.
  public init(stream: consuming ByteStream) throws(NPUError) {
    let path = stream.path
    let prefix = try stream.next(8)
    let start = try SafetensorsHeader.dataStart(prefix: prefix, size: nil, file: path)
    let json = try stream.next(start - 8)
    guard json.count == start - 8 else {
      throw SafetensorsHeader.truncated(start - 8, found: json.count, file: path)
    }
    let header = try SafetensorsHeader(json: json, dataCount: nil, file: path)
    try self.init(
      header.entries.map { $0.archived(after: start) }, metadata: header.metadata, origin: path,
      source: .stream(OpenStream(stream, position: start)))
  }

  /// The manifest and the headers of a folder of .npy files.
  init(folder path: String) throws(NPUError) {
    let listing = try TensorFolder.listing(of: path)
    try self.init(
      listing.entries, metadata: listing.metadata, origin: listing.origin, source: .folder)
  }

  // MARK: Words

  /// Reads some tensors, each once, in the order of the file. A stream can be read once only, to its
  /// end.
  ///
  /// - Throws: `.tensor` for a tensor that is not there or cannot be what is asked, `.io` when it cannot
  ///   be read.
  public func read(_ selections: Set<Selection>) throws(NPUError) -> [Selection: Tensor] {
    var tensors: [Selection: Tensor] = [:]
    var wanted: [(selection: Selection, entry: Entry)] = []
    for selection in selections {
      guard let entry = self[selection.name] else {
        throw NPUError(
          .tensor, "there is no tensor \"\(selection.name)\"\(origin.map { " in \($0)" } ?? "")",
          hint: DidYouMean.hint(for: selection.name, among: entries.map(\.name)))
      }
      if let fault = entry.fault { throw fault }
      wanted.append((selection, entry))
    }
    wanted.sort { (places[$0.entry.name] ?? 0) < (places[$1.entry.name] ?? 0) }
    switch source {
    case .memory(let set):
      for (selection, entry) in wanted { tensors[selection] = set[entry.name] }
    case .folder:
      for (selection, entry) in wanted {
        guard case .file(let path) = entry.place else { continue }
        tensors[selection] = try Npy.read(path, as: selection.dtype)
      }
    case .file(let file):
      for (selection, entry) in wanted {
        tensors[selection] = try tensor(selection, entry) { range throws(NPUError) in
          try file.reader.bytes(range, room: Tensor.room)
        }
      }
    case .stream(let stream):
      try stream.once { once throws(NPUError) in
        wanted.sort { $0.entry.firstByte < $1.entry.firstByte }
        for (selection, entry) in wanted {
          tensors[selection] = try tensor(selection, entry) { range throws(NPUError) in
            try once.bytes(range)
          }
        }
        try once.finish(entries.map(\.lastByte).max() ?? 0)
      }
    }
    return tensors
  }

  /// Every tensor.
  ///
  /// - Throws: the fault of the first that has one.
  public func readAll() throws(NPUError) -> TensorSet {
    var selections: [Selection] = []
    for entry in entries {
      if let fault = entry.fault { throw fault }
      guard let dtype = entry.candidates.first, entry.candidates.count == 1 else {
        throw Npy.ambiguous(entry)
      }
      selections.append(Selection(entry.name, dtype))
    }
    let tensors = try read(Set(selections))
    var set = TensorSet()
    set.origin = origin
    set.metadata = metadata
    for selection in selections {
      guard let tensor = tensors[selection] else { continue }
      try set.insert(tensor, named: selection.name)
    }
    return set
  }

  /// The same with the words of some tensors taken out of a stream, so that they can be read in parts;
  /// files and folders stay where they are. Entries that are not taken are faulty from then on.
  public func takingFromStream(
    _ isWanted: (Entry) -> Bool
  ) throws(NPUError) -> TensorArchive {
    guard case .stream = source else { return self }
    let taken = entries.filter { $0.fault == nil && isWanted($0) }
    let tensors = try read(
      Set(taken.compactMap { entry in entry.candidates.first.map { Selection(entry.name, $0) } }))
    var set = TensorSet()
    for (selection, tensor) in tensors { try set.insert(tensor, named: selection.name) }
    var result = try TensorArchive(
      entries, metadata: metadata, origin: origin, source: .memory(set))
    for index in result.entries.indices
    where result.entries[index].fault == nil && set[result.entries[index].name] == nil {
      result.entries[index].fault = NPUError(
        .tensor, "tensor \"\(result.entries[index].name)\" was left in the stream")
    }
    return result
  }

  private func tensor(
    _ selection: Selection, _ entry: Entry,
    _ bytes: (Range<Int>) throws(NPUError) -> [UInt8]
  ) throws(NPUError) -> Tensor? {
    guard case .bytes(let range) = entry.place else { return nil }
    return try Tensor(dtype: selection.dtype, shape: entry.shape, storage: try bytes(range))
  }
}

extension TensorArchive.Entry {
  fileprivate var firstByte: Int {
    if case .bytes(let range) = place { range.lowerBound } else { 0 }
  }
  fileprivate var lastByte: Int {
    if case .bytes(let range) = place { range.upperBound } else { 0 }
  }
}

/// An open file that copies of an archive share; any thread may read it at any offset.
private final class OpenFile: Sendable {
  let reader: FileReader

  init(_ reader: consuming FileReader) { self.reader = reader }
}

/// The rest of a stream that copies of an archive share: whoever reads first has it.
private final class OpenStream: Sendable {
  /// A stream and where it stands.
  struct Rest: ~Copyable, Sendable {
    var stream: ByteStream
    var position: Int
    var isRead = false

    /// The bytes of a range that does not begin before the end of the last.
    mutating func bytes(_ range: Range<Int>) throws(NPUError) -> [UInt8] {
      try skip(to: range.lowerBound)
      let bytes = try stream.next(range.count)
      position += bytes.count
      guard bytes.count == range.count else { throw ended(before: range.upperBound) }
      return bytes
    }

    /// Reads on to the end that the header states, which must be the stream's.
    mutating func finish(_ end: Int) throws(NPUError) {
      try skip(to: end)
      guard try stream.skip(1) == 0 else {
        throw NPUError(
          .tensor,
          "safetensors header: the bytes of \(stream.path) from \(position) on belong to no tensor")
      }
    }

    private mutating func skip(to offset: Int) throws(NPUError) {
      position += try stream.skip(offset - position)
      guard position >= offset else { throw ended(before: offset) }
    }

    private func ended(before offset: Int) -> NPUError {
      NPUError(
        .tensor, "\(stream.path) ends at byte \(position), before byte \(offset)",
        hint: "the file may be truncated")
    }
  }

  private let rest: Mutex<Rest>

  init(_ stream: consuming ByteStream, position: Int) {
    rest = Mutex(Rest(stream: stream, position: position))
  }

  /// Lends the stream to the first that asks.
  func once(_ body: (inout Rest) throws(NPUError) -> Void) throws(NPUError) {
    try rest.withLock { (rest: inout sending Rest) throws(NPUError) in
      guard !rest.isRead else {
        throw NPUError(.internal, "\(rest.stream.path) is read a second time")
      }
      rest.isRead = true
      try body(&rest)
    }
  }
}
