// Codable.swift: Embedded Swift has no `Codable`. Compiled into each module there, this takes the name: what a checkpoint
// stores keeps its declaration, and nothing is stored.

public protocol Codable {}
extension Float: Codable {}
extension Double: Codable {}
