/// White space as isspace(3) in the C locale has it.
func isSpace(_ character: UInt8) -> Bool {
    character == UInt8(ascii: " ") || (character >= 9 && character <= 13)
}
