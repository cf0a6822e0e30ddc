import Foundation
import Testing

@testable import resnet

@Suite struct CompletionTests {
  /// The words that bash offers for a line, asked of bash itself.
  private func completions(of words: [String]) throws -> [String] {
    let line = words.map(shellQuoted).joined(separator: " ")
    let script = """
      eval "$1"; COMP_WORDS=(\(line)); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _resnet; printf '%s\\n' "${COMPREPLY[@]}"
      """
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", script, "bash", Command.completionScript(for: .bash)]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  @Test func bashCompletesCommandsOptionsAndValues() throws {
    #expect(try completions(of: ["resnet", "s"]) == ["summary"])
    let single = Command.all.map(\.name).filter { !$0.contains(" ") }
    #expect(try completions(of: ["resnet", ""]) == single.dropLast() + ["detect", "help"])
    #expect(try completions(of: ["resnet", "detect", ""]) == ["train", "evaluate", "predict"])
    #expect(try completions(of: ["resnet", "detect", "train", "--ref"]) == ["--reference"])
    #expect(try completions(of: ["resnet", "detect", "train", "--reference", ""]) == ["cells", "proposal"])
    #expect(try completions(of: ["resnet", "help", "detect", "ev"]) == ["evaluate"])
    #expect(try completions(of: ["resnet", "train", "--sh"]) == ["--shortcut"])
    #expect(try completions(of: ["resnet", "train", "--shortcut", ""]) == ["A", "B", "C"])
    #expect(try completions(of: ["resnet", "train", "--epochs", ""]) == [])
    #expect(try completions(of: ["resnet", "help", "tr"]).contains("train"))
  }

  @Test func everyScriptHasEveryCommandAndOption() throws {
    for shell in Shell.allCases {
      let script = Command.completionScript(for: shell)
      for command in Command.all {
        for word in command.name.split(separator: " ") { #expect(script.contains(word)) }
        for option in command.options {
          #expect(script.contains(shell == .fish ? "-l \(option.name.dropFirst(2))" : option.name))
        }
      }
    }
    #expect(Command.completionScript(for: .zsh).hasPrefix("#compdef resnet\n"))
    #expect(throws: CommandLineError.self) { try Command.parse(["--generate-completion-script", "tcsh"]) }
    #expect(throws: CommandLineError.self) { try Command.parse(["--generate-completion-script"]) }
  }

  @Test func anOptionHasTheSameValuesInEveryCommand() {
    let placeholders = Dictionary(grouping: Command.all.flatMap(\.options), by: \.name)
    for (name, options) in placeholders {
      #expect(Set(options.map(\.placeholder)).count == 1, "\(name)")
    }
  }
}
