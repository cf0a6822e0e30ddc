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

  /// The first words of all commands' names, and the second words behind each of them; none behind most.
  private static var words: [(first: String, second: [String])] {
    var words: [(first: String, second: [String])] = []
    for name in all.map({ $0.name.split(separator: " ").map(String.init) }) {
      if words.last?.first != name[0] { words.append((name[0], [])) }
      words[words.count - 1].second += name.dropFirst()
    }
    return words
  }

  /// What zsh can read too, through its own bashcompinit.
  private static var bashCompletion: String {
    let names = words.map(\.first).joined(separator: " ")
    // What stands before the word that is completed: a command, or the first half of one.
    var cases = words.filter { !$0.second.isEmpty }.map { first, second in
      "\(first)|\"\(help.name) \(first)\") words=\"\(second.joined(separator: " "))\" ;;"
    }
    cases.append("\(help.name)) words=\"\(names)\" ;;")
    cases += all.filter { $0.name != help.name }.map { command in
      let options = (command.options.map(\.name) + ["--help"]).joined(separator: " ")
      return "\"\(command.name)\"|\"\(command.name) \"*) words=\"\(options)\" ;;"
    }
    // An option has the same kind of value in every command that takes it.
    var values: [String: String] = [:]
    for option in all.flatMap(\.options) where !option.isFlag { values[option.name] = option.bashWords }
    let lines = values.sorted { $0.key < $1.key }.map { name, words in "    \(name)) \(words) ;;" }
    return """
      _resnet() {
        local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" words
        local before="" i
        for ((i = 1; i < COMP_CWORD; i++)); do before+="${before:+ }${COMP_WORDS[i]}"; done
        COMPREPLY=()
        if [ "$COMP_CWORD" -eq 1 ]; then
          COMPREPLY=($(compgen -W "\(names)" -- "$current"))
          return
        fi
        case "$previous" in
      \(lines.joined(separator: "\n"))
        esac
        case "$before" in
      \(cases.map { "    " + $0 }.joined(separator: "\n"))
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
    let groups = words.filter { !$0.second.isEmpty }
    let isNoGroup = groups.map { "not __fish_seen_subcommand_from \($0.first); and " }.joined()
    for (first, second) in groups {
      lines.append("complete -c resnet -n __fish_use_subcommand -a \(first)")
      lines.append("complete -c resnet -n '__fish_seen_subcommand_from \(first)' -f")
      let isOpen = "__fish_seen_subcommand_from \(first); and not __fish_seen_subcommand_from"
      for command in all where command.name.hasPrefix(first + " ") {
        lines.append(
          "complete -c resnet -n '\(isOpen) \(second.joined(separator: " "))' "
            + "-a \(command.name.dropFirst(first.count + 1)) -d \(quotedForFish(command.summary))")
      }
    }
    for command in all {
      let name = command.name.split(separator: " ")
      if name.count == 1 {
        lines.append(
          "complete -c resnet -n __fish_use_subcommand -a \(command.name) -d \(quotedForFish(command.summary))")
      }
      let seen = name.map { "__fish_seen_subcommand_from \($0)" }.joined(separator: "; and ")
      let here = "complete -c resnet -n '\(name.count == 1 ? isNoGroup : "")\(seen)'"
      for option in command.options {
        let value = option.isFlag ? "" : option.values.map { " -x -a '\($0.joined(separator: " "))'" } ?? " -r"
        lines.append("\(here) -l \(option.name.dropFirst(2))\(value) -d \(quotedForFish(option.help))")
      }
      if command.name == help.name {
        lines.append("\(here) -f -a '\(words.map(\.first).joined(separator: " "))'")
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
