import CCurl

// What libcurl calls while a transfer runs; its context is the `BackendTransfer`.

/// The bytes with a zero behind them; they hold none.
func withCString(_ bytes: [UInt8], _ body: (UnsafePointer<CChar>) -> Void) {
    (bytes + [0]).withUnsafeBytes { buffer in
        if let start = buffer.bindMemory(to: CChar.self).baseAddress { body(start) }
    }
}

private func transfer(_ context: UnsafeMutableRawPointer?) -> BackendTransfer? {
    context.map { Unmanaged<BackendTransfer>.fromOpaque($0).takeUnretainedValue() }
}

private func bytes(_ start: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int)
    -> UnsafeMutableRawBufferPointer?
{
    let (total, overflow) = size.multipliedReportingOverflow(by: count)
    guard let start, !overflow, total >= 0 else { return nil }
    return UnsafeMutableRawBufferPointer(start: start, count: total)
}

/// What libcurl brings; the number of bytes taken, where another one than that of all stops.
private func take(
    _ start: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?,
    by taking: (BackendTransfer, [UInt8]) -> Bool
) -> Int {
    guard let bytes = bytes(start, size, count), let transfer = transfer(context) else { return 0 }
    return taking(transfer, Array(bytes)) ? bytes.count : 0
}

func takeHeader(
    _ start: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    take(start, size, count, context) { $0.take(headerLine: $1) }
}

func takeBody(
    _ start: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    take(start, size, count, context) { $0.take(body: $1) }
}

/// What libcurl takes for "stop": `CURL_READFUNC_ABORT`.
private let stopReading = 0x1000_0000

func giveBody(
    _ start: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let room = bytes(start, size, count), let transfer = transfer(context),
        let chunk = transfer.readBody(upTo: room.count), chunk.count <= room.count
    else { return stopReading }
    room.copyBytes(from: chunk)
    return chunk.count
}

/// Anything but 0 stops.
func isStillWanted(
    _ context: UnsafeMutableRawPointer?,
    _: curl_off_t,
    _: curl_off_t,
    _: curl_off_t,
    _: curl_off_t
) -> Int32 {
    transfer(context)?.isWanted() == true ? 0 : 1
}
