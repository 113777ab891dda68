/// What takes as long as a run at best: a memory that all cores share, or the port or unit of a queue.
public enum Resource: Sendable, Hashable {
  case hbm
  case queue(Queue)

  /// The name in JSON and reports: `hbm`, `matrix`, `vector`, `load port`.
  public var name: String {
    switch self {
    case .hbm: "hbm"
    case .queue(let queue): queue.hasPort ? "\(queue.name) port" : queue.name
    }
  }

  /// The resource of that name, or `nil`. A port goes by the name of its queue, too.
  public init?(name: String) {
    if name == Resource.hbm.name {
      self = .hbm
      return
    }
    guard
      let queue = Queue.allCases.first(where: {
        $0.name == name || Resource.queue($0).name == name
      })
    else { return nil }
    self = .queue(queue)
  }
}
