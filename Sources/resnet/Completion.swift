// Completion.swift: scripts that complete commands, options and values in a shell.

enum Shell: String, CaseIterable { case bash, zsh, fish }

extension AnyOption {
  static let shell = Option(
    "SHELL", .choice(Shell.self), default: nil, "the shell: bash, zsh or fish")
}

extension Command {
  /// `resnet --generate-completion-script SHELL`. It is no command of the list, so that the list stays about networks.
  static let completion = Command(
    name: "--generate-completion-script",
    summary: "prints a script for a shell",
    description: "Prints a script that completes commands, options and their values.",
    positionals: [.shell]
  ) { arguments in
    Output(json: false).line(completionScript(for: arguments[.shell]))
  }

  /// The script for a shell, made from the table of commands and options.
  static func completionScript(for shell: Shell) -> String {
    switch shell {
    case .bash: bashCompletion
    case .zsh: "#compdef resnet\nautoload -U +X bashcompinit && bashcompinit\n" + bashCompletion
    case .fish: fishCompletion
    }
  }

  /// What zsh can read too, through its own bashcompinit.
  private static var bashCompletion: String {
    let names = all.map(\.name).joined(separator: " ")
    let commands = all.map { command in
      let options = (command.options.map(\.name) + ["--help"]).joined(separator: " ")
      let words = command.name == help.name ? names : options
      return "    \(command.name)) words=\"\(words)\" ;;"
    }
    // An option has the same kind of value in every command that takes it.
    var values: [String: String] = [:]
    for option in all.flatMap(\.options) where !option.isFlag { values[option.name] = option.bashWords }
    let lines = values.sorted { $0.key < $1.key }.map { name, words in "    \(name)) \(words) ;;" }
    return """
      _resnet() {
        local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" words
        COMPREPLY=()
        if [ "$COMP_CWORD" -eq 1 ]; then
          COMPREPLY=($(compgen -W "\(names)" -- "$current"))
          return
        fi
        case "$previous" in
      \(lines.joined(separator: "\n"))
        esac
        case "${COMP_WORDS[1]}" in
      \(commands.joined(separator: "\n"))
        esac
        COMPREPLY=($(compgen -W "$words" -- "$current"))
        [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
      }
      complete -F _resnet resnet
      """
  }

  private static var fishCompletion: String {
    func quotedForFish(_ text: String) -> String {
      "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
    }
    var lines = ["complete -c resnet -n __fish_use_subcommand -f"]
    for command in all {
      lines.append(
        "complete -c resnet -n __fish_use_subcommand -a \(command.name) -d \(quotedForFish(command.summary))")
      let here = "complete -c resnet -n '__fish_seen_subcommand_from \(command.name)'"
      for option in command.options {
        let value = option.isFlag ? "" : option.values.map { " -x -a '\($0.joined(separator: " "))'" } ?? " -r"
        lines.append("\(here) -l \(option.name.dropFirst(2))\(value) -d \(quotedForFish(option.help))")
      }
      if command.name == help.name {
        lines.append("\(here) -f -a '\(all.map(\.name).joined(separator: " "))'")
      }
    }
    return lines.joined(separator: "\n")
  }
}

extension AnyOption {
  /// The values of an option that has a few: `A`, `B`, `C`.
  fileprivate var values: [String]? {
    placeholder.contains("|") ? placeholder.split(separator: "|").map(String.init) : nil
  }

  /// The commands of bash that complete the option's value.
  fileprivate var bashWords: String {
    if let values {
      return "words=\"\(values.joined(separator: " "))\"; COMPREPLY=($(compgen -W \"$words\" -- \"$current\")); return"
    }
    switch placeholder {
    case "DIR": return "COMPREPLY=($(compgen -d -- \"$current\")); return"
    case "FILE": return "COMPREPLY=($(compgen -f -- \"$current\")); return"
    default: return "return"
    }
  }
}
