import CCurl

/// What a transfer brings, and what it asks for. Called by the thread that runs it.
package protocol Transfer: AnyObject {
    /// Takes one line of the answer's head, with its line end; false stops.
    func take(headerLine line: [UInt8]) -> Bool

    /// Takes a part of the answer's body; false stops.
    func take(body: [UInt8]) -> Bool

    /// A part of the request's body, empty at its end; `nil` stops.
    func body(upTo count: Int) -> [UInt8]?

    /// Whether somebody still waits for the answer; false stops.
    func isWanted() -> Bool
}

extension Transfer {
    package func body(upTo count: Int) -> [UInt8]? { nil }
    package func isWanted() -> Bool { true }
}

/// What libcurl's callbacks get as their context.
final class TransferReference {
    let transfer: any Transfer

    init(_ transfer: any Transfer) { self.transfer = transfer }
}

/// What libcurl calls while a transfer runs.
enum TransferCallbacks {
    static func set(on easy: UnsafeMutableRawPointer, _ context: UnsafeMutableRawPointer) {
        unsafe ccurl_setopt_callback(easy, CURLOPT_HEADERFUNCTION, takeHeader)
        unsafe ccurl_setopt_pointer(easy, CURLOPT_HEADERDATA, context)
        unsafe ccurl_setopt_callback(easy, CURLOPT_WRITEFUNCTION, takeBody)
        unsafe ccurl_setopt_pointer(easy, CURLOPT_WRITEDATA, context)
        unsafe ccurl_setopt_callback(easy, CURLOPT_READFUNCTION, giveBody)
        unsafe ccurl_setopt_pointer(easy, CURLOPT_READDATA, context)
        unsafe ccurl_setopt_progress(easy, isStillWanted)
        unsafe ccurl_setopt_pointer(easy, CURLOPT_XFERINFODATA, context)
        unsafe ccurl_setopt_long(easy, CURLOPT_NOPROGRESS, 0)
    }
}

private func transfer(_ context: UnsafeMutableRawPointer?) -> (any Transfer)? {
    unsafe context.map {
        unsafe Unmanaged<TransferReference>.fromOpaque($0).takeUnretainedValue().transfer
    }
}

private func room(_ start: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int)
    -> UnsafeMutableRawBufferPointer?
{
    let (total, overflow) = size.multipliedReportingOverflow(by: count)
    guard let start = unsafe start, !overflow, total >= 0 else { return nil }
    return unsafe UnsafeMutableRawBufferPointer(start: start, count: total)
}

/// What libcurl brings; the number of bytes taken, where another one than that of all stops.
private func take(
    _ start: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?,
    by taking: (any Transfer, [UInt8]) -> Bool
) -> Int {
    guard let bytes = unsafe room(start, size, count), let transfer = unsafe transfer(context)
    else { return 0 }
    return unsafe taking(transfer, Array(bytes)) ? bytes.count : 0
}

private func takeHeader(
    _ start: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    unsafe take(start, size, count, context) { $0.take(headerLine: $1) }
}

private func takeBody(
    _ start: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    unsafe take(start, size, count, context) { $0.take(body: $1) }
}

/// What libcurl takes for "stop": `CURL_READFUNC_ABORT`.
private let stopReading = 0x1000_0000

private func giveBody(
    _ start: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let room = unsafe room(start, size, count), let transfer = unsafe transfer(context),
        let chunk = transfer.body(upTo: room.count), chunk.count <= room.count
    else { return stopReading }
    unsafe room.copyBytes(from: chunk)
    return chunk.count
}

/// Anything but 0 stops.
private func isStillWanted(
    _ context: UnsafeMutableRawPointer?,
    _: curl_off_t,
    _: curl_off_t,
    _: curl_off_t,
    _: curl_off_t
) -> Int32 {
    unsafe transfer(context)?.isWanted() == true ? 0 : 1
}
