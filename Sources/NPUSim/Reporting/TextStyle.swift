/// How a page is coloured: not at all, or with the terminal's own colours.
public struct TextStyle: Sendable, Hashable {
  private let usesColour: Bool

  /// No colour.
  public static let plain = TextStyle(usesColour: false)
  /// ANSI colours.
  public static let ansi = TextStyle(usesColour: true)

  private init(usesColour: Bool) { self.usesColour = usesColour }

  private func paint(_ text: String, _ code: String) -> String {
    usesColour ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }

  /// Something good.
  public func good(_ text: String) -> String { paint(text, "32") }
  /// Something wrong.
  public func bad(_ text: String) -> String { paint(text, "31;1") }
  /// Something to look at.
  public func warning(_ text: String) -> String { paint(text, "33") }
  /// A heading.
  public func bold(_ text: String) -> String { paint(text, "1") }
  /// Something secondary.
  public func dim(_ text: String) -> String { paint(text, "2") }
}
