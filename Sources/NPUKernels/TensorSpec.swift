import NPUSim

/// A named tensor that a kernel takes, makes, or passes through on the way.
public struct TensorSpec: Sendable, Hashable {
  /// What the tensor is to the kernel.
  public enum Role: Sendable, Hashable {
    case input, intermediate, output
    /// Read and written in place: an input whose words after the run are an output.
    case updated
    /// Int32 numbers of rows, slots or tokens that are bound when the program is built, as they are
    /// part of its footprints: ``Kernel/program(_:)`` takes them.
    case index

    /// Whether the tensor has words before the run.
    public var isGiven: Bool {
      switch self {
      case .input, .updated, .index: true
      case .intermediate, .output: false
      }
    }

    /// Whether a run makes its words, or changes them.
    public var isMade: Bool {
      switch self {
      case .intermediate, .output, .updated: true
      case .input, .index: false
      }
    }

    /// The role as help prints it.
    public var label: String {
      switch self {
      case .input: "input"
      case .intermediate: "intermediate"
      case .output: "output"
      case .updated: "updated"
      case .index: "index"
      }
    }
  }

  /// The name in files, dumps and reports.
  public var name: String
  public var format: ElementFormat
  public var shape: [Int]
  /// The block axis of an MXINT8 tensor: the last, or the last but one.
  public var axis: BlockAxis
  public var role: Role
  /// Other names that files may use for it.
  public var aliases: [String]

  public init(
    _ name: String, _ format: ElementFormat, _ shape: [Int], axis: BlockAxis = .alongColumns,
    role: Role, aliases: [String] = []
  ) {
    self.name = name
    self.format = format
    self.shape = shape
    self.axis = axis
    self.role = role
    self.aliases = aliases
  }

  /// Elements; the product of the shape.
  public var elements: Int { shape.reduce(1, *) }

  /// The block axis as files write it.
  public var fileAxis: Int { axis == .alongColumns ? -1 : -2 }
}

extension TensorSpec {
  /// What a memory that outlives programs has for it. Throws as ``TensorForm/init(_:_:axis:)``.
  public var form: TensorForm {
    get throws(NPUError) { try TensorForm(format, shape, axis: axis) }
  }
}

extension Kernel {
  /// The tensors as files have them, for the text of the kernel's program.
  public var fileForms: [String: ProgramText.FileForm] {
    var forms: [String: ProgramText.FileForm] = [:]
    for spec in tensors { forms[spec.name] = .init(shape: spec.shape, aliases: spec.aliases) }
    return forms
  }
}

/// The words of a tensor as a kernel uses them: plain, or MXINT8 with scales.
public enum TensorValue: Sendable, Hashable {
  case plain(Tensor)
  case mx(MXTensor)

  /// The words of a tensor of a kernel. Throws `.tensor` for another number of bytes.
  public init(_ spec: TensorSpec, _ words: TensorWords) throws(NPUError) {
    let tensor = try Tensor(dtype: spec.format.dtype, shape: spec.shape, storage: words.payload)
    guard spec.format == .mxint8 else {
      self = .plain(tensor)
      return
    }
    var shape = spec.shape
    let axis = shape.count + spec.fileAxis
    shape[axis] = (shape[axis] + 31) / 32
    let scale = try Tensor(dtype: .e8m0, shape: shape, storage: words.scales)
    self = .mx(try MXTensor(payload: tensor, scale: scale, axis: spec.fileAxis))
  }

  /// The words by themselves.
  public var words: TensorWords { TensorWords(payload: payload, scales: scales) }

  /// Dimensions, of the payload for MXINT8.
  public var shape: [Int] {
    switch self {
    case .plain(let tensor): tensor.shape
    case .mx(let tensor): tensor.shape
    }
  }

  /// The element bytes, little endian, last dimension fastest.
  public var payload: [UInt8] {
    switch self {
    case .plain(let tensor): tensor.storage
    case .mx(let tensor): tensor.payload.storage
    }
  }

  /// The scale bytes; empty unless MXINT8.
  public var scales: [UInt8] {
    switch self {
    case .plain: []
    case .mx(let tensor): tensor.scale.storage
    }
  }
}

extension ElementFormat {
  /// The file type of a tensor of this format; an MXINT8 payload is I8.
  public var dtype: DType {
    switch self {
    case .bf16: .bf16
    case .f16: .f16
    case .f32: .f32
    case .e4m3fn: .e4m3fn
    case .e5m2: .e5m2
    case .e8m0: .e8m0
    case .i8, .mxint8: .i8
    case .i32: .i32
    }
  }
}
