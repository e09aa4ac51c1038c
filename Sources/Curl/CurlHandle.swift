import CCurl

/// A handle of libcurl for one transfer at a time, and what runs it and keeps its connections; freed
/// when it goes away. The corresponding C types are `CURL` and `CURLM`.
///
/// Used by one thread at a time.
@safe package final class CurlHandle: @unchecked Sendable {
    private let easy: UnsafeMutableRawPointer
    private let multi: UnsafeMutableRawPointer
    private var headers: UnsafeMutablePointer<curl_slist>?

    /// A fresh handle; `nil` when libcurl cannot be loaded, or has no memory.
    init?() {
        guard ccurl_load() == 1, let easy = unsafe ccurl_easy_init() else { return nil }
        guard let multi = unsafe ccurl_multi_init() else {
            unsafe ccurl_easy_cleanup(easy)
            return nil
        }
        unsafe self.easy = easy
        unsafe self.multi = multi
    }

    deinit {
        unsafe ccurl_easy_cleanup(easy)
        unsafe ccurl_multi_cleanup(multi)
        unsafe ccurl_slist_free(headers)
    }

    /// Forgets all options; connections stay. What holds for every transfer of ours is set: no signal,
    /// no proxy of the environment, no other protocol than HTTP.
    func reset() {
        unsafe ccurl_easy_reset(easy)
        unsafe ccurl_slist_free(headers)
        unsafe headers = nil
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_PROXY, "")
        unsafe ccurl_allow_http_only(easy)
    }

    package func set(_ option: CURLoption, _ number: Int) {
        unsafe ccurl_setopt_long(easy, option, number)
    }

    package func set(_ option: CURLoption, _ text: String) {
        unsafe ccurl_setopt_string(easy, option, text)
    }

    /// A text of any bytes but NUL.
    package func set(_ option: CURLoption, _ bytes: [UInt8]) {
        unsafe Self.withCString(bytes) { unsafe ccurl_setopt_string(easy, option, $0) }
    }

    /// The lines of the request's head, `Name: value`; `Name:` leaves out what libcurl would say.
    package func setHeaders(_ lines: [[UInt8]]) {
        for line in lines {
            unsafe Self.withCString(line) {
                unsafe headers = ccurl_slist_append(headers, $0) ?? headers
            }
        }
        unsafe ccurl_setopt_pointer(easy, CURLOPT_HTTPHEADER, headers)
    }

    /// The length of a body that the transfer is asked for (``Transfer/body(upTo:)``); `nil` where its
    /// end tells.
    package func setUpload(bytes: Int?) {
        set(CURLOPT_UPLOAD, 1)
        if let bytes {
            unsafe ccurl_setopt_offset(easy, CURLOPT_INFILESIZE_LARGE, curl_off_t(bytes))
        }
    }

    /// Runs a transfer to its end.
    ///
    /// - Parameters:
    ///   - body: Sent by POST; `nil` for another method, or a body that the transfer is asked for.
    ///   - lookMilliseconds: ``Transfer/isWanted()`` is asked at least so often.
    package func run(
        _ transfer: any Transfer,
        posting body: [UInt8]? = nil,
        lookMilliseconds: Int32
    )
        -> TransferResult
    {
        let reference = TransferReference(transfer)
        let context = unsafe Unmanaged.passUnretained(reference).toOpaque()
        unsafe TransferCallbacks.set(on: easy, context)
        let code = withExtendedLifetime(reference) {
            guard let body else { return unsafe ccurl_multi_run(multi, easy, lookMilliseconds) }
            return unsafe body.withUnsafeBytes { bytes in
                set(CURLOPT_POST, 1)
                unsafe ccurl_setopt_offset(
                    easy,
                    CURLOPT_POSTFIELDSIZE_LARGE,
                    curl_off_t(bytes.count)
                )
                unsafe ccurl_setopt_pointer(
                    easy,
                    CURLOPT_POSTFIELDS,
                    UnsafeMutableRawPointer(mutating: bytes.baseAddress)
                )
                return unsafe ccurl_multi_run(multi, easy, lookMilliseconds)
            }
        }
        return TransferResult(
            code: code,
            status: information(CURLINFO_RESPONSE_CODE),
            sentBytes: information(CURLINFO_REQUEST_SIZE),
            openedConnections: information(CURLINFO_NUM_CONNECTS)
        )
    }

    private func information(_ what: CURLINFO) -> Int {
        var value = 0
        unsafe ccurl_getinfo_long(easy, what, &value)
        return value
    }

    /// The bytes with a zero behind them; they hold none.
    private static func withCString(_ bytes: [UInt8], _ body: (UnsafePointer<CChar>) -> Void) {
        unsafe (bytes + [0]).withUnsafeBytes { buffer in
            if let start = unsafe buffer.bindMemory(to: CChar.self).baseAddress {
                unsafe body(start)
            }
        }
    }
}

/// How a transfer ended.
package struct TransferResult: Sendable {
    package let code: CURLcode
    /// The status of the answer; 0 when there was none.
    package let status: Int
    /// Bytes of the request that were sent.
    package let sentBytes: Int
    /// Connections that were opened for it; 0 on a kept one.
    package let openedConnections: Int

    /// Whether it went to its end.
    package var isWhole: Bool { code == CURLE_OK }

    /// libcurl's words for the end; no part of the request.
    package var reason: String { unsafe String(cString: ccurl_easy_strerror(code)) }
}
