/// One direction of an association: does to each datagram what the script says.
struct DatagramPath<Item> {
    private let fate: (Int) -> Script.Datagrams.Fate
    /// Datagrams so far.
    private(set) var count = 0
    /// What waits for the next that is sent.
    private var held: [Item] = []

    init(fate: @escaping (Int) -> Script.Datagrams.Fate) { self.fate = fate }

    /// What to send when this comes.
    mutating func pass(_ item: Item) -> [Item] {
        defer { count += 1 }
        switch fate(count) {
        case .pass: return [item] + release()
        case .duplicate: return [item, item] + release()
        case .drop: return []
        case .holdBack:
            held.append(item)
            return []
        }
    }

    private mutating func release() -> [Item] {
        defer { held = [] }
        return held
    }
}
